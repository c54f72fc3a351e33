import * as p from '../primordials.ts';
import { programFrames, setOrigin } from '../stack.ts';
import { installPlatform } from './install.ts';

type Native = new (message?: unknown, name?: unknown) => Error;

const { DOMException: NativeDOMException } = globalThis as unknown as { DOMException: Native };
const messageOf = getter('message');
const nameOf = getter('name');

/** QuickJS writes every frame into the stack of an exception, those of the runtime too: here it has the program's, as an error has. */
const DOMException = function (message?: unknown, name?: unknown): object {
  if (new.target === undefined) throw new p.NativeTypeError('DOMException is made with new');
  const exception = p.construct(NativeDOMException, [message, name], new.target) as object;
  setOrigin(exception, new p.NativeError());
  const text = messageOf(exception);
  const frames = programFrames(exception);
  const value = `${nameOf(exception)}${text === '' ? '' : `: ${text}`}${frames === '' ? '' : `\n${frames}`}`;
  p.defineProperty(exception, 'stack', p.plain({ value, writable: true, configurable: true, enumerable: false }));
  return exception;
};

function getter(key: string): (exception: unknown) => string {
  return p.uncurry(p.getOwnPropertyDescriptor(NativeDOMException.prototype as object, key)?.get as () => string);
}

for (const key of p.ownKeys(NativeDOMException)) {
  const descriptor = p.getOwnPropertyDescriptor(NativeDOMException, key);
  if (descriptor !== undefined && key !== 'prototype') p.defineProperty(DOMException, key, descriptor);
}
p.defineProperty(DOMException, 'prototype', { value: NativeDOMException.prototype as object, writable: false });
p.defineProperty(NativeDOMException.prototype as object, 'constructor', { value: DOMException });
installPlatform({ DOMException });
