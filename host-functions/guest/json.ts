import { isPlainJson, wasTooLong } from './plain-json.ts';
import * as p from './primordials.ts';

const MAX_DEPTH = 200;
const identifier = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Why a value has no JSON text. */
export type JsonProblem = { problem: 'invalid' | 'too-large'; message: string; hint?: string };
export type JsonText = { problem: null; text: string } | JsonProblem;

/** The path to a value, held as a chain so that nothing is built while all is well. */
interface Path {
  parent: Path | null;
  key: string;
  holder: unknown;
  depth: number;
}

class Refusal {
  readonly message: string;
  readonly problem: JsonProblem['problem'];
  readonly hint: string;
  constructor(message: string, hint = '', problem: JsonProblem['problem'] = 'invalid') {
    this.message = message;
    this.hint = hint;
    this.problem = problem;
  }
}

let budget = 0;
let root = '';
let limit = 0;

/**
 * The JSON text of a value, "" for undefined. Follows JSON.stringify (toJSON, Date, undefined members dropped), but refuses what
 * that drops in silence: functions, symbols, Map, Set, typed arrays. An Error becomes its name, message and own members.
 * @param name how messages call the value: `result`, `state`, `arguments`
 */
export function toJsonText(value: unknown, name: string, maxBytes: number): JsonText {
  root = name;
  budget = limit = maxBytes;
  try {
    const isPlain = isPlainJson(value, maxBytes, MAX_DEPTH);
    // To walk tens of megabytes only to find at their end that there are too many would take half a minute.
    if (!isPlain && wasTooLong()) throw tooLarge();
    const text = isPlain ? p.stringifyJson(value) : (write(value, { parent: null, key: '', holder: null, depth: 0 }) ?? '');
    if (p.exceedsUtf8Length(text, maxBytes)) throw tooLarge();
    return { problem: null, text };
  } catch (thrown) {
    if (thrown instanceof Refusal) {
      const { message, problem, hint } = thrown;
      return hint === '' ? { problem, message } : { problem, message, hint };
    }
    throw thrown;
  }
}

function tooLarge(): Refusal {
  return new Refusal(
    `${root} is larger than ${limit} bytes as JSON`,
    `return less: filter, slice or summarize it in the program`,
    'too-large',
  );
}

function spend(text: string): string {
  budget -= text.length;
  if (budget < 0) throw tooLarge();
  return text;
}

function write(original: unknown, path: Path): string | undefined {
  const value: unknown = typeof original === 'object' || typeof original === 'bigint' ? convert(original, path) : original;
  switch (typeof value) {
    case 'string':
      if (value.length > budget) throw tooLarge();
      return spend(p.stringifyJson(value));
    case 'number':
    case 'boolean':
      return spend(p.stringifyJson(value));
    case 'undefined':
      return undefined;
    case 'bigint':
      throw new Refusal(`${pathText(path)} is a BigInt`, 'convert it with String(x), or with Number(x) when it is small enough');
    case 'symbol':
      throw new Refusal(`${pathText(path)} is a symbol`, 'return its description, or another string');
    case 'function':
      throw new Refusal(`${pathText(path)} is a function`, 'call it, or leave it out');
    case 'object':
      return value === null ? spend('null') : writeObject(value, path);
  }
}

/** The value that JSON sees: what `toJSON` gives, or the primitive in a Number, String, Boolean object. */
function convert(value: unknown, path: Path): unknown {
  if (value === null) return value;
  let converted: unknown = value;
  const toJson = read(value as object, 'toJSON', path);
  if (typeof toJson === 'function') converted = guarded(path, () => p.apply(toJson as () => unknown, value, [path.key]));
  if (typeof converted !== 'object' || converted === null) return converted;
  return unbox(converted);
}

function unbox(value: object): unknown {
  const proto = p.getPrototypeOfSafely(value);
  // What nearly every value is. To ask the others costs an exception for each kind.
  if (proto === p.objectPrototype || proto === null || p.isArraySafely(value)) return value;
  for (let i = 0; i < unboxers.length; i++) {
    try {
      return unboxers[i]?.(value);
    } catch {
      // Not that kind of object.
    }
  }
  return value;
}

const unboxers = p.newList<(value: unknown) => unknown>();
p.push(unboxers, p.numberValueOf);
p.push(unboxers, p.stringValueOf);
p.push(unboxers, p.booleanValueOf);
p.push(unboxers, p.bigintValueOf);

function writeObject(value: object, path: Path): string {
  for (let above = path.parent, holder = path.holder; above !== null; holder = above.holder, above = above.parent) {
    if (holder === value) throw new Refusal(`${pathText(path)} is a cycle: it contains itself`, 'return a copy without the back reference');
  }
  if (path.depth >= MAX_DEPTH) {
    throw new Refusal(`${shortPath(path)} is nested deeper than ${MAX_DEPTH} levels`, 'return something flatter');
  }
  const isList = guarded(path, () => p.isArray(value)) as boolean;
  if (isList) return writeArray(value as unknown[], path);
  refuseKinds(value, path);
  return writeMembers(value, path);
}

function writeArray(value: unknown[], path: Path): string {
  const length = read(value, 'length', path) as number;
  let text = spend('[');
  for (let i = 0; i < length; i++) {
    const member = { parent: path, key: `${i}`, holder: value, depth: path.depth + 1 };
    if (i > 0) text += spend(',');
    text += write(read(value, i, member), member) ?? spend('null');
  }
  return text + spend(']');
}

function writeMembers(value: object, path: Path): string {
  const keys = guarded(path, () => p.objectKeys(value)) as string[];
  let text = spend('{');
  let first = true;
  if (p.isError(value)) {
    for (let i = 0; i < 2; i++) {
      const key = i === 0 ? 'name' : 'message';
      if (p.hasOwn(value, key) && isEnumerable(value, key, path)) continue;
      const member = { parent: path, key, holder: value, depth: path.depth + 1 };
      const written = write(read(value, key, member), member);
      if (written === undefined) continue;
      text += `${first ? '' : spend(',')}${spend(`"${key}":`)}${written}`;
      first = false;
    }
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const member = { parent: path, key, holder: value, depth: path.depth + 1 };
    const written = write(read(value, key, member), member);
    if (written === undefined) continue;
    text += `${first ? '' : spend(',')}${spend(p.stringifyJson(key))}${spend(':')}${written}`;
    first = false;
  }
  return text + spend('}');
}

function isEnumerable(value: object, key: string, path: Path): boolean {
  const descriptor = guarded(path, () => p.getOwnPropertyDescriptor(value, key)) as PropertyDescriptor | undefined;
  return descriptor !== undefined && p.hasOwn(descriptor, 'enumerable') && descriptor.enumerable === true;
}

function read(holder: object, key: PropertyKey, path: Path): unknown {
  // Not through guarded(): this is the hot path, and a closure for each member costs.
  try {
    return (holder as Record<PropertyKey, unknown>)[key];
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

function guarded(path: Path, action: () => unknown): unknown {
  try {
    return action();
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

function unreadable(path: Path, thrown: unknown): Refusal {
  let reason = '';
  try {
    const message = p.isError(thrown) ? (thrown as Error).message : thrown;
    if (typeof message === 'string') reason = `: ${p.cut(message, 500)}`;
  } catch {
    // A message that cannot be read says nothing.
  }
  return new Refusal(`reading ${pathText(path)} failed${reason}`, 'return plain objects and arrays, without getters that throw');
}

const LIST_HINT = 'return an array instead: [...x]';
const BYTES_HINT = 'return a string or an array instead: Array.from(x), or new TextDecoder().decode(x)';

function refuseKinds(value: object, path: Path): void {
  const proto = p.getPrototypeOfSafely(value);
  if (proto === p.objectPrototype || proto === null) return;
  if (p.isKind(p.mapSize, value)) {
    throw new Refusal(`${pathText(path)} is a Map`, 'return an object or an array instead: Object.fromEntries(map) or [...map]');
  }
  if (p.isKind(p.setSize, value)) throw new Refusal(`${pathText(path)} is a Set`, LIST_HINT);
  if (p.typedArrayTag(value) !== undefined) throw new Refusal(`${pathText(path)} is a ${String(p.typedArrayTag(value))}`, BYTES_HINT);
  if (p.isKind(p.bufferByteLength, value)) throw new Refusal(`${pathText(path)} is an ArrayBuffer`, BYTES_HINT);
  if (p.isKind(p.viewByteLength, value)) throw new Refusal(`${pathText(path)} is a DataView`, BYTES_HINT);
  if (proto === p.NativePromise.prototype) throw new Refusal(`${pathText(path)} is a promise`, 'await it before you return it');
  if (p.isKind(p.symbolValueOf, value)) throw new Refusal(`${pathText(path)} is a symbol`, 'return its description, or another string');
}

function pathText(path: Path): string {
  let text = '';
  for (let at = path; at.parent !== null; at = at.parent) text = step(at) + text;
  return p.cut(root + text, 1_000);
}

function shortPath(path: Path): string {
  return `${p.cut(pathText(path), 60)}…`;
}

function step(path: Path): string {
  if (p.isArraySafely(path.holder)) return `[${path.key}]`;
  const key = p.cut(path.key, 100);
  return p.regExpExec(identifier, key) === null ? `[${p.stringifyJson(key)}]` : `.${key}`;
}
