import * as p from './primordials.ts';

const { prototype } = (globalThis as unknown as { DOMException: { prototype: object } }).DOMException;
const exceptionCode = p.uncurry(p.getOwnPropertyDescriptor(prototype, 'code')?.get as () => number);

/** `Error.isError` says of a DOMException that it is one, as the standard has it and the engines do not. */
export function installErrors(): void {
  const isError = (value: unknown): boolean => p.isError(value) || (typeof value === 'object' && p.isKind(exceptionCode, value));
  p.defineProperty(Error, 'isError', { value: isError, writable: true, configurable: true, enumerable: false });
}
