import { isQuickJs } from './engine.ts';
import * as p from './primordials.ts';

/** Lines that `new Function` puts before the script's own first line. */
export const HEADER_LINES = 2;
const MAX_FRAMES = 50;
/**
 * Where a frame lies: its function, line and column. SpiderMonkey knows the script's name; QuickJS has one name for all that is
 * evaluated, and only an error of syntax is without a function.
 */
const framePattern = isQuickJs ? /^ {4}at (?:(.*) \()?<input>:(\d+):(\d+)\)?$/ : /^(?:async\*)?(.*)@program\.js:(\d+):(\d+)$/;
const asyncPattern = /^async\*/;
/** A name that looks like a place: a function can have any text for a name. */
const forgedName = /[\\/():]/;

/**
 * The frames of an error that lie in the program, one line each: `    at name (program.js:LINE:COLUMN)`, 1-based and relative to
 * the script. Frames of the runtime, of the engine and of evaluated text are left out, and with them every path.
 */
export function programFrames(error: unknown): string {
  const frames = ownFrames(error);
  if (frames !== '') return frames;
  const origin = p.weakMapGet(origins, error as never);
  return origin === undefined ? '' : ownFrames(origin);
}

const origins = new p.NativeWeakMap<object, object>();

/** Lets `error`, which was made outside the program, show the frames of `origin`, which was made where the program asked. */
export function setOrigin(error: object, origin: object): void {
  p.weakMapSet(origins, error, origin);
}

function ownFrames(error: unknown): string {
  try {
    const raw = p.errorStack(error);
    return typeof raw === 'string' ? normalizeStack(raw) : '';
  } catch {
    return '';
  }
}

/** {@link programFrames} of an engine's raw stack text. */
function normalizeStack(raw: string): string {
  let frames = '';
  let count = 0;
  let from = 0;
  while (from < raw.length && count < MAX_FRAMES) {
    let to = p.indexOf(raw, '\n', from);
    if (to === -1) to = raw.length;
    const frame = normalizeFrame(p.slice(raw, from, to));
    if (frame !== '') {
      frames += count === 0 ? frame : `\n${frame}`;
      count++;
    }
    from = to + 1;
  }
  return frames;
}

function normalizeFrame(line: string): string {
  const match = p.regExpExec(framePattern, line);
  if (match === null) return '';
  const row = +(match[2] ?? '') - HEADER_LINES;
  if (row < 1) return '';
  const position = `program.js:${row}:${match[3]}`;
  const name = lastPart(match[1] ?? '');
  const prefix = p.regExpExec(asyncPattern, line) === null ? '' : 'async ';
  return name === '' ? `    at ${prefix}${position}` : `    at ${prefix}${name} (${position})`;
}

/** `anonymous/load/<` is SpiderMonkey for a function without a name inside `load`; QuickJS says `<anonymous>`. */
function lastPart(name: string): string {
  const own = isQuickJs ? name : p.slice(name, p.lastIndexOf(name, '/') + 1);
  if (own === '<' || own === 'anonymous' || own === '<anonymous>') return '';
  return p.regExpExec(forgedName, own) === null ? own : '';
}

/** Makes `error.stack` and `Error.captureStackTrace` show the program's frames only, in every error of the realm. */
export function installStacks(): void {
  const native = p.getOwnPropertyDescriptor(Error.prototype, 'stack');
  if (native?.set === undefined) throw new Error('the engine has no accessor for stacks');
  p.defineProperty(Error.prototype, 'stack', { ...native, get: methodOf('stack', stackOf) });
  p.nameMembers({ captureStackTrace });
  p.defineProperty(Error, 'captureStackTrace', { writable: true, configurable: true, enumerable: false, value: captureStackTrace });
}

function methodOf(name: string, of: (self: unknown) => unknown): () => unknown {
  return {
    [name](this: unknown) {
      return of(this);
    },
  }[name];
}

function stackOf(error: unknown): string | undefined {
  if (!p.isError(error)) return undefined;
  const frames = programFrames(error);
  return `${errorTitle(error as Error)}${frames === '' ? '' : `\n${frames}`}`;
}

function errorTitle(error: { name?: unknown; message?: unknown }): string {
  const { name, message } = error;
  const title = typeof name === 'string' && name !== '' ? name : 'Error';
  return typeof message === 'string' && message !== '' ? `${title}: ${message}` : title;
}

function captureStackTrace(target: object): void {
  const error = new p.NativeError();
  const frames = programFrames(error);
  const value = `${errorTitle(target)}${frames === '' ? '' : `\n${frames}`}`;
  p.defineProperty(target, 'stack', p.plain({ value, writable: true, configurable: true, enumerable: false }));
}
