import { define } from './facade.ts';
import { lateUnit } from './late-unit.ts';

type Constructor = new (...args: unknown[]) => object;

interface LateClass {
  readonly name: string;
  /** The number of arguments that are needed. */
  readonly length: number;
  /** Its methods, with the number of their arguments; getters stand after a `get `. */
  readonly methods: Readonly<Record<string, number>>;
  /** Whether it may be called without `new`. */
  readonly isCallable?: boolean;
  readonly isListing?: boolean;
  /** What the library's class is given before its first use. */
  readonly prepare?: (inner: never) => void;
}

/**
 * A class of `Intl` whose library is evaluated when the class is first used. Its instances are the library's, with a prototype in front
 * that has the members of the standard and no others.
 */
export function lateClass({ name, length, methods, isCallable = false, isListing = true, prepare = () => undefined }: LateClass): object {
  const prototype = {};
  const load = (): Constructor =>
    lateUnit<Constructor>(name, (inner) => {
      Object.setPrototypeOf(prototype, inner.prototype as object);
      prepare(inner as never);
    });
  const outer = function (this: unknown, ...args: unknown[]): object {
    if (new.target === undefined && !isCallable) throw new TypeError(`Constructor Intl.${name} requires 'new'`);
    return Reflect.construct(load(), args, new.target ?? outer) as object;
  };
  Object.defineProperty(outer, 'name', { value: name, configurable: true });
  Object.defineProperty(outer, 'length', { value: length, configurable: true });
  Object.defineProperty(outer, 'prototype', { value: prototype, writable: false, enumerable: false, configurable: false });
  define(prototype, 'constructor', outer);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
  for (const member of Object.keys(methods)) addMember(prototype, member, methods[member], load);
  if (isListing) {
    const listing = { supportedLocalesOf: (...args: unknown[]) => (load() as unknown as Listing).supportedLocalesOf(...args) };
    Object.defineProperty(listing.supportedLocalesOf, 'length', { value: 1, configurable: true });
    define(outer, 'supportedLocalesOf', listing.supportedLocalesOf);
  }
  return outer;
}

interface Listing {
  supportedLocalesOf(...args: unknown[]): string[];
}

function addMember(prototype: object, member: string, length: number, load: () => Constructor): void {
  const key = member.replace('get ', '');
  const descriptor = (): PropertyDescriptor => Object.getOwnPropertyDescriptor(load().prototype as object, key) ?? {};
  if (member !== key) {
    const getter = function (this: unknown): unknown {
      return descriptor().get?.call(this);
    };
    Object.defineProperty(getter, 'name', { value: member, configurable: true });
    Object.defineProperty(prototype, key, { get: getter, configurable: true, enumerable: false });
    return;
  }
  const holder = {
    [key](this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(descriptor().value as (...values: unknown[]) => unknown, this, args);
    },
  };
  Object.defineProperty(holder[key], 'length', { value: length, configurable: true });
  define(prototype, key, holder[key]);
}
