import { hintForAbsent, hintForLine } from './absent.ts';
import { isQuickJs } from './engine.ts';
import * as p from './primordials.ts';
import { type Told, explain } from './quickjs/explain.ts';
import type { Failure } from './run.ts';
import { lineOf } from './source-line.ts';
import { HEADER_LINES, programFrames } from './stack.ts';

const MAX_TEXT = 16_384;
const InternalErrorPrototype = (globalThis as { InternalError?: { prototype: object } }).InternalError?.prototype;
const RangeErrorPrototype: object = RangeError.prototype;
const memoryPattern = /out of memory|allocation size overflow|array buffer allocation failed/;
const stackPattern = /too much recursion|stack overflow|^Maximum call stack size exceeded$/;

/** A failure of the runtime's own finding, without a stack. */
export function failure(code: string, name: string, message: string, hint?: string): Failure {
  const made: Failure = p.plain({ status: 'failed', code, name, message: clip(message), stack: '' });
  if (hint !== undefined) made.hint = clip(hint);
  return made;
}

/** The ending of a run whose program threw `thrown`, which may be anything at all: nothing that it does can escape from here. */
export function failureOf(thrown: unknown): Failure {
  try {
    return describe(thrown);
  } catch (again) {
    // What is thrown at the end of the stack leaves no room for a description.
    if (isEngineError(again)) return failure('ERR_EXECUTE_STACK', 'RangeError', 'too much recursion', STACK_HINT);
    return failure('ERR_EXECUTE_THROWN', 'Error', 'the program threw a value that cannot be described');
  }
}

function describe(thrown: unknown): Failure {
  // SpiderMonkey throws this bare string when memory runs out.
  if (!isQuickJs && thrown === 'out of memory') return failure('ERR_EXECUTE_MEMORY', 'InternalError', 'out of memory', MEMORY_HINT);
  if (!isErrorLike(thrown)) {
    return failure(
      'ERR_EXECUTE_THROWN',
      'Error',
      `the program threw ${describeValue(thrown)}`,
      'throw an Error: it carries a message and a stack',
    );
  }
  const name = textOf(thrown, 'name') || 'Error';
  const plain: Told = { message: textOf(thrown, 'message'), frames: stackOf(thrown, name) };
  const { message, frames } = isQuickJs ? explain(plain.message, plain.frames) : plain;
  const code = codeOf(thrown, message);
  const made = failure(code, titleOf(thrown, name), message, hintOf(thrown, code, name, message, frames));
  made.stack = clip(frames);
  return made;
}

/** `ToolError [ERR_CALL_DENIED]`: the code of an error of ours stays visible at the top. */
function titleOf(thrown: object, name: string): string {
  const own = textOf(thrown, 'code');
  return p.cut(p.regExpExec(codePattern, own) === null ? name : `${name} [${own}]`, 200);
}

const codePattern = /^ERR_[A-Z_]+$/;
const STACK_HINT = 'use a loop with a list of what is left to do instead of recursion, or end the recursion earlier';
const MEMORY_HINT = 'keep less in memory at a time: work in pages, keep only the fields that you need';

/** Whether a value is of the class of errors that the engine throws when it runs out of stack or memory. */
function isEngineError(error: unknown): boolean {
  const kind = typeof error === 'object' && error !== null ? p.getPrototypeOfSafely(error) : null;
  if (kind === null || kind === undefined) return false;
  return kind === InternalErrorPrototype || (isQuickJs && kind === RangeErrorPrototype);
}

function codeOf(error: object, message: string): string {
  if (isEngineError(error)) {
    if (p.regExpExec(stackPattern, message) !== null) return 'ERR_EXECUTE_STACK';
    if (p.regExpExec(memoryPattern, message) !== null) return 'ERR_EXECUTE_MEMORY';
  }
  return 'ERR_EXECUTE_THROWN';
}

function hintOf(error: object, code: string, name: string, message: string, frames: string): string | undefined {
  switch (code) {
    case 'ERR_EXECUTE_MEMORY':
      return MEMORY_HINT;
    case 'ERR_EXECUTE_STACK':
      return STACK_HINT;
    default: {
      const own = textOf(error, 'hint');
      if (own !== '') return own;
      if (name !== 'ReferenceError' && name !== 'TypeError') return undefined;
      return hintForAbsent(message) ?? (isQuickJs ? hintForLine(lineOf(frames)) : undefined);
    }
  }
}

function isErrorLike(thrown: unknown): thrown is object {
  return p.isError(thrown) || (typeof thrown === 'object' && thrown !== null && textOf(thrown, 'message') !== '');
}

/** A member that is a string, "" otherwise. Getters may run: they are the program's own, and what they throw is swallowed. */
function textOf(holder: object, key: string): string {
  try {
    const value = (holder as Record<string, unknown>)[key];
    return typeof value === 'string' ? p.cut(value, MAX_TEXT) : '';
  } catch {
    return '';
  }
}

function stackOf(error: object, name: string): string {
  const frames = programFrames(error);
  if (frames !== '' || name !== 'SyntaxError') return frames;
  return syntaxPosition(error);
}

/** A SyntaxError has no frames of its own, but knows where it is. */
function syntaxPosition(error: object): string {
  const { lineNumber, columnNumber } = error as { lineNumber?: unknown; columnNumber?: unknown };
  if (typeof lineNumber !== 'number' || typeof columnNumber !== 'number' || lineNumber <= HEADER_LINES) return '';
  return `    at program.js:${lineNumber - HEADER_LINES}:${columnNumber}`;
}

function describeValue(thrown: unknown): string {
  switch (typeof thrown) {
    case 'string':
      return p.stringifyJson(p.cut(thrown, 8_000));
    case 'symbol':
      return p.symbolToString(thrown);
    case 'function':
      return 'a function';
    case 'bigint':
    case 'number':
    case 'boolean':
    case 'undefined':
      return p.NativeString(thrown);
    case 'object':
      return thrown === null ? 'null' : 'an object that is not an Error';
  }
}

/** At most 16 KiB of UTF-8. */
function clip(text: string): string {
  let clipped = p.cut(text, MAX_TEXT);
  while (p.utf8Length(clipped) > MAX_TEXT) clipped = p.cut(clipped, p.floor(clipped.length * 0.8));
  return clipped;
}

/** What `load` says about a script that the engine refuses. */
export function loadFailure(thrown: unknown): string {
  const { name, message, stack } = failureOf(thrown);
  return p.stringifyJson(p.plain({ name, message, stack: stack === '' && p.isError(thrown) ? syntaxPosition(thrown as object) : stack }));
}
