/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import * as p from '../primordials.ts';
import { copyArrayBuffer, copyTyped, isDetached, typedParts } from './clone-buffers.ts';

const NativeDOMException = (globalThis as unknown as { DOMException: new (message: string, name: string) => Error }).DOMException;
const ERRORS = p.plain<Record<string, ErrorConstructor>>({ EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError });
const domCode = p.uncurry(p.getOwnPropertyDescriptor(NativeDOMException.prototype as object, 'code')?.get as () => number);
const weakRefDeref = p.uncurry(WeakRef.prototype.deref);

/** What one call has cloned already, so that cycles and shared parts stay what they are. */
type Seen = Map<object, object>;

/** `structuredClone` of the HTML standard, with ArrayBuffers as the only kind that can be transferred. */
export function structuredClone(value: unknown, options?: { transfer?: Iterable<unknown> }): unknown {
  if (arguments.length === 0) throw new p.NativeTypeError('structuredClone: 1 argument is needed, 0 given');
  const seen: Seen = new p.NativeMap<object, object>();
  const transfer = options?.transfer === undefined ? [] : Array.from(options.transfer);
  for (const item of transfer) {
    if (!p.isKind(p.bufferByteLength, item)) throw refusal('a value that is not an ArrayBuffer cannot be transferred');
    if (isDetached(item)) throw refusal('an ArrayBuffer that is detached cannot be transferred');
  }
  if (new Set(transfer).size < transfer.length) throw refusal('an ArrayBuffer is to be transferred twice');
  // Getters of the value may run before a buffer is taken, as in the standard.
  const waiting = (transfer as ArrayBuffer[]).map((from) => ({ from, to: copyArrayBuffer(from) }));
  for (const { from, to } of waiting) p.mapSet(seen, from, to);
  const clone = cloned(value, seen);
  for (const { from } of waiting) (from as unknown as { transfer(): unknown }).transfer();
  return clone;
}

function refusal(message: string): Error {
  return new NativeDOMException(`structuredClone: ${message}`, 'DataCloneError');
}

function cloned(value: unknown, seen: Seen): unknown {
  if (typeof value === 'symbol') throw refusal(`${p.symbolToString(value)} cannot be cloned`);
  if (typeof value === 'function') throw refusal('a function cannot be cloned');
  if (typeof value !== 'object' || value === null) return value;
  const known = p.mapGet(seen, value);
  return known === undefined ? clonedObject(value, seen) : known;
}

function remember<T extends object>(from: object, to: T, seen: Seen): T {
  p.mapSet(seen, from, to);
  return to;
}

function clonedObject(value: object, seen: Seen): object {
  if (p.isArray(value)) {
    const list = remember(value, [] as unknown[], seen);
    list.length = value.length;
    return copyMembers(value, list, seen);
  }
  if (p.getPrototypeOfSafely(value) === p.objectPrototype) return copyMembers(value, remember(value, {}, seen), seen);
  return clonedSpecial(value, seen) ?? copyMembers(value, remember(value, {}, seen), seen);
}

function clonedSpecial(value: object, seen: Seen): object | undefined {
  const primitive = boxed(value);
  if (primitive !== undefined) return remember(value, Object(primitive) as object, seen);
  if (p.isKind(p.dateGetTime, value)) return remember(value, new p.NativeDate(p.dateGetTime(value)), seen);
  if (p.isKind(expFlags, value)) return remember(value, new RegExp(p.regExpSource(value) as string, p.regExpFlags(value) as string), seen);
  if (p.isKind(p.bufferByteLength, value)) return clonedBuffer(value, seen);
  const parts = typedParts(value);
  if (parts !== undefined) return remember(value, copyTyped(parts, cloned(parts.buffer, seen) as ArrayBuffer), seen);
  if (p.isKind(p.mapSize, value)) return clonedMap(value as Map<unknown, unknown>, seen);
  if (p.isKind(p.setSize, value)) return clonedSet(value as Set<unknown>, seen);
  if (p.isError(value)) return clonedError(value as Error, seen);
  if (p.isKind(domCode, value)) return remember(value, clonedException(value as Error), seen);
  refuseOthers(value);
  return undefined;
}

function clonedBuffer(buffer: object, seen: Seen): object {
  if (isDetached(buffer)) throw refusal('an ArrayBuffer that is detached cannot be cloned');
  return remember(buffer, copyArrayBuffer(buffer as ArrayBuffer), seen);
}

const expFlags = (value: unknown): unknown => value !== RegExp.prototype && p.regExpSource(value);
const boxes = [p.numberValueOf, p.stringValueOf, p.booleanValueOf, p.bigintValueOf];

function boxed(value: object): unknown {
  for (const unbox of boxes) {
    try {
      return unbox(value);
    } catch {
      // Not that kind of object.
    }
  }
  return undefined;
}

function refuseOthers(value: object): void {
  const weak = [
    () => p.weakMapHas(value, value),
    () => p.weakSetHas(value, value),
    () => weakRefDeref(value),
    () => p.symbolValueOf(value),
  ];
  for (const brand of weak) if (p.isKind(brand, value)) throw refusal('the object cannot be cloned');
  if (isPromise(value)) throw refusal('a promise cannot be cloned');
}

function isPromise(value: object): boolean {
  return p.getPrototypeOfSafely(value) === p.NativePromise.prototype;
}

function clonedMap(map: Map<unknown, unknown>, seen: Seen): object {
  const to = remember(map, new p.NativeMap<unknown, unknown>(), seen);
  const entries: [unknown, unknown][] = [];
  p.mapForEach(map, ((item: unknown, key: unknown) => entries.push([key, item])) as never);
  for (const [key, item] of entries) p.mapSet(to, cloned(key, seen), cloned(item, seen));
  return to;
}

function clonedSet(set: Set<unknown>, seen: Seen): object {
  const to = remember(set, new Set<unknown>(), seen);
  const items: unknown[] = [];
  p.setForEach(set, ((item: unknown) => items.push(item)) as never);
  for (const item of items) to.add(cloned(item, seen));
  return to;
}

function clonedError(error: Error, seen: Seen): object {
  const name = textOf(error.name);
  const Kind = p.hasOwn(ERRORS, name) ? (ERRORS[name] ?? p.NativeError) : p.NativeError;
  const to = remember(error, new Kind(), seen);
  const message = p.getOwnPropertyDescriptor(error, 'message');
  if (message !== undefined && p.hasOwn(message, 'value')) hide(to, 'message', String(message.value));
  if (p.hasOwn(error, 'cause')) hide(to, 'cause', cloned(error.cause, seen));
  if (typeof error.stack === 'string') hide(to, 'stack', error.stack);
  return to;
}

/** The name may be anything at all. */
function textOf(value: unknown): string {
  return String(value);
}

function hide(target: object, key: string, value: unknown): void {
  p.defineProperty(target, key, p.plain({ value, writable: true, configurable: true, enumerable: false }));
}

function clonedException({ message, name }: Error): object {
  return new NativeDOMException(message, name);
}

function copyMembers(from: object, to: object, seen: Seen): object {
  const keys = p.objectKeys(from);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (!p.hasOwn(from, key)) continue;
    const value = cloned((from as Record<string, unknown>)[key], seen);
    p.defineProperty(to, key, p.plain({ value, writable: true, configurable: true, enumerable: true }));
  }
  return to;
}
