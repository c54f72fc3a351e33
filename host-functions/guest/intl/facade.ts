/* oxlint-disable typescript/unbound-method -- taken off their holders on purpose, as in primordials.ts */
/** A class of a library as a program sees it: with the members of the standard and nothing else. */

type Constructor = new (...args: never[]) => object;

interface Shape {
  readonly name: string;
  /** Whether it may be called without `new`. */
  readonly isCallable: boolean;
  /** The number of arguments that are needed. */
  readonly length: number;
}

/**
 * A constructor that makes what `inner` makes, has its prototype, and shows of its static members only `supportedLocalesOf`. The
 * methods get the names and attributes of the standard.
 */
export function facade(inner: Constructor, { name, isCallable, length }: Shape): object {
  const prototype = inner.prototype as object;
  const outer = function (this: unknown, ...args: unknown[]): object {
    if (new.target === undefined && !isCallable) throw new TypeError(`Constructor Intl.${name} requires 'new'`);
    return Reflect.construct(inner, args, new.target ?? outer) as object;
  };
  Object.defineProperty(outer, 'name', { value: name, configurable: true });
  Object.defineProperty(outer, 'length', { value: length, configurable: true });
  Object.defineProperty(outer, 'prototype', { value: prototype, writable: false, enumerable: false, configurable: false });
  define(prototype, 'constructor', outer);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
  const { supportedLocalesOf } = inner as unknown as { supportedLocalesOf?: (...args: unknown[]) => unknown };
  if (supportedLocalesOf !== undefined) {
    const method = {
      supportedLocalesOf(locales: unknown, options?: unknown): unknown {
        return supportedLocalesOf.call(inner, locales, options);
      },
    };
    Object.defineProperty(method.supportedLocalesOf, 'length', { value: 1, configurable: true });
    define(outer, 'supportedLocalesOf', method.supportedLocalesOf);
  }
  tidy(prototype);
  return outer;
}

export function define(owner: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(owner, key, { value, writable: true, configurable: true, enumerable: false });
}

/** Methods that bundling has renamed, and those that a library has left enumerable. */
function tidy(prototype: object): void {
  for (const key of Object.getOwnPropertyNames(prototype)) {
    const own = Object.getOwnPropertyDescriptor(prototype, key);
    if (key === 'constructor' || own === undefined) continue;
    if (typeof own.value === 'function') Object.defineProperty(own.value, 'name', { value: key, configurable: true });
    if (own.get !== undefined) Object.defineProperty(own.get, 'name', { value: `get ${key}`, configurable: true });
    Object.defineProperty(prototype, key, { ...own, enumerable: false });
  }
}
