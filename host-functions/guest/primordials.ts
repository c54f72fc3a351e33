/* oxlint-disable typescript/unbound-method -- taking methods off their prototypes is the purpose of this file */
/**
 * Everything of the language that the runtime uses, captured before a program loads. A program may redefine any global or
 * prototype; these bindings do not change. Runtime code calls no method on a value and iterates nothing: it uses these.
 */
type Method = (...args: never[]) => unknown;
type Uncurried<M extends Method> = (self: unknown, ...args: Parameters<M>) => ReturnType<M>;

const { bind, call } = Function.prototype;
const bindCall = bind.bind(call) as (method: unknown) => unknown;

/** A method as a function of its receiver. */
export function uncurry<M extends Method>(method: M): Uncurried<M> {
  return bindCall(method) as Uncurried<M>;
}

function getterOf(owner: object, key: PropertyKey): (self: unknown) => unknown {
  const getter = Object.getOwnPropertyDescriptor(owner, key)?.get;
  if (getter === undefined) throw new Error(`the engine has no getter ${String(key)}`);
  return bindCall(getter) as (self: unknown) => unknown;
}

export const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
export const { freeze, hasOwn, keys: objectKeys, setPrototypeOf, prototype: objectPrototype } = Object;
export const { isArray } = Array;
export const { parse: parseJson, stringify: stringifyJson } = JSON;
export const { isInteger } = Number;
const { encodeURIComponent: nativeEncodeUri, unescape: nativeUnescape } = globalThis as unknown as Record<string, (text: string) => string>;
export const { floor, trunc, max, min } = Math;
export const isError = (Error as unknown as { isError(value: unknown): boolean }).isError;

export const NativePromise = Promise;
/** A promise with its two functions, as own members. */
export const newDeferred = Promise.withResolvers.bind(Promise) as <T>() => PromiseWithResolvers<T>;
export const NativeDate = Date;
export const NativeFunction = Function;
export const NativeError = Error;
export const NativeTypeError = TypeError;
export const NativeRangeError = RangeError;
export const NativeSyntaxError = SyntaxError;
export const NativeMap = Map;
export const NativeWeakMap = WeakMap;
export const NativeUint8Array = Uint8Array;
export const NativeUint32Array = Uint32Array;
export const NativeString = String;
export const NativeNumber = Number;

export const errorStack = getterOf(Error.prototype, 'stack');
export const mapSize = getterOf(Map.prototype, 'size');
export const mapGet = uncurry(Map.prototype.get);
export const mapSet = uncurry(Map.prototype.set);
export const mapHas = uncurry(Map.prototype.has);
export const mapDelete = uncurry(Map.prototype.delete);
export const mapClear = uncurry(Map.prototype.clear);
export const mapForEach = uncurry(Map.prototype.forEach);
export const setSize = getterOf(Set.prototype, 'size');
export const setForEach = uncurry(Set.prototype.forEach);
export const weakMapGet = uncurry(WeakMap.prototype.get);
export const weakMapSet = uncurry(WeakMap.prototype.set);
export const weakMapHas = uncurry(WeakMap.prototype.has);
export const weakSetHas = uncurry(WeakSet.prototype.has);
export const typedArrayTag = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);
export const typedArrayLength = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, 'length');
export const bufferByteLength = getterOf(ArrayBuffer.prototype, 'byteLength');
export const viewByteLength = getterOf(DataView.prototype, 'byteLength');
export const regExpSource = getterOf(RegExp.prototype, 'source');
export const regExpFlags = getterOf(RegExp.prototype, 'flags');
export const regExpExec = uncurry(RegExp.prototype.exec);
export const dateGetTime = uncurry(Date.prototype.getTime);
export const dateToISOString = uncurry(Date.prototype.toISOString);
export const dateToString = uncurry(Date.prototype.toString);
export const stringValueOf = uncurry(String.prototype.valueOf);
export const numberValueOf = uncurry(Number.prototype.valueOf);
export const booleanValueOf = uncurry(Boolean.prototype.valueOf);
export const bigintValueOf = uncurry(BigInt.prototype.valueOf);
export const symbolToString = uncurry(Symbol.prototype.toString);
export const symbolValueOf = uncurry(Symbol.prototype.valueOf);
export const functionToString = uncurry(Function.prototype.toString);
export const slice = uncurry(String.prototype.slice);
export const indexOf = uncurry(String.prototype.indexOf);
export const lastIndexOf = uncurry(String.prototype.lastIndexOf);
export const toLowerCase = uncurry(String.prototype.toLowerCase);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const toWellFormed = uncurry(String.prototype.toWellFormed);
export const repeat = uncurry(String.prototype.repeat);
export const padStart = uncurry(String.prototype.padStart);
export const numberToString = uncurry(Number.prototype.toString);
interface Decoder {
  decode(bytes: Uint8Array): string;
}
const { TextDecoder } = globalThis as unknown as { TextDecoder: { new (): Decoder; prototype: Decoder } };
const decoder = new TextDecoder();
const decode = uncurry(TextDecoder.prototype.decode);

/** UTF-8 bytes as text; what is not UTF-8 becomes U+FFFD. */
export const decodeUtf8 = (bytes: Uint8Array): string => decode(decoder, bytes);

/** A list that inherits nothing, so that setters on `Array.prototype` or `Object.prototype` never see what it holds. */
export interface List<T> {
  [index: number]: T;
  length: number;
}

export function newList<T>(): List<T> {
  return setPrototypeOf([], null) as List<T>;
}

export function push<T>(list: List<T>, item: T): void {
  list[list.length] = item;
}

/** Units of a text that are counted one by one: megabytes would take seconds. */
const MAX_COUNTED = 1_048_576;

/**
 * Whether a text is longer than `maxBytes` of UTF-8. Only a text near the bound is counted through, and one that is too long to be
 * counted here is left to the host, which measures everything again.
 */
export function exceedsUtf8Length(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  if (text.length > MAX_COUNTED) return false;
  if (text.length * 3 <= maxBytes) return false;
  return regExpExec(notAscii, text) !== null && nativeUtf8Length(text) > maxBytes;
}

/** A class that says what is in it: QuickJS takes twice as long for one that says what is not. */
const notAscii = /[\x80-\uffff]/;

/** As {@link utf8Length}, by what the engines do natively: units one by one take some twenty times as long. */
function nativeUtf8Length(text: string): number {
  return nativeUnescape(nativeEncodeUri(toWellFormed(text))).length;
}

/** The number of bytes that a string has in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = charCodeAt(text, i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit <= 0xdbff && (charCodeAt(text, i + 1) & 0xfc00) === 0xdc00) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** At most `units` UTF-16 units of a text, never half of a surrogate pair. */
export function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  const last = charCodeAt(text, units - 1);
  return slice(text, 0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units);
}

/** Names functions after the members that they are: bundling may have renamed them. */
export function nameMembers<T extends object>(holder: T): T {
  const keys = ownKeys(holder);
  for (let i = 0; i < keys.length; i++) {
    const value = getOwnPropertyDescriptor(holder, keys[i])?.value as unknown;
    if (typeof value === 'function') defineProperty(value, 'name', { value: keys[i], configurable: true });
  }
  return holder;
}

/** An object without a prototype: safe to stringify and to look up foreign names in. */
export function plain<T extends object>(members: T): T {
  return setPrototypeOf(members, null) as T;
}

/** Whether a brand check (a getter or method that throws on foreign objects) accepts the value. */
export function isKind(brand: (self: unknown) => unknown, value: unknown): boolean {
  try {
    brand(value);
    return true;
  } catch {
    return false;
  }
}

/** A proxy whose trap throws has no prototype to speak of: undefined. */
export function getPrototypeOfSafely(value: object): object | null | undefined {
  try {
    return getPrototypeOf(value);
  } catch {
    return undefined;
  }
}

/** Array.isArray throws on a revoked proxy. */
export function isArraySafely(value: unknown): boolean {
  try {
    return isArray(value);
  } catch {
    return false;
  }
}
