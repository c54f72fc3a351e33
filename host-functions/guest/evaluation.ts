import * as p from './primordials.ts';

type FunctionConstructor = new (...source: string[]) => object;
const importPattern = /\bimport\b/;

/**
 * Lets programs evaluate text, but none with `import` in it: `import()` from evaluated text traps the engine. Direct `eval` becomes
 * indirect, because only the engine's own can see local variables.
 */
export function installEvaluation(): void {
  // oxlint-disable-next-line no-eval -- taken to be wrapped
  const nativeEval = globalThis.eval as (source: unknown) => unknown;
  const guardedEval = (source: unknown): unknown => nativeEval(typeof source === 'string' ? checked(source) : source);
  p.defineProperty(guardedEval, 'name', { value: 'eval', configurable: true });
  p.defineProperty(globalThis, 'eval', { value: guardedEval, writable: true, configurable: true, enumerable: false });
  const guardedFunction = guard(p.NativeFunction);
  p.defineProperty(globalThis, 'Function', { value: guardedFunction, writable: true, configurable: true, enumerable: false });
  const kinds = [async () => undefined, function* () {}, async function* () {}];
  for (const kind of kinds) p.setPrototypeOf(guard(kind.constructor as unknown as FunctionConstructor), guardedFunction);
}

function guard(native: FunctionConstructor): object {
  const guarded = function (this: unknown, ...source: unknown[]): object {
    const texts = p.newList<string>();
    for (let i = 0; i < source.length; i++) p.push(texts, checked(p.NativeString(source[i])));
    return p.construct(native, texts, new.target ?? guarded) as object;
  };
  p.defineProperty(guarded, 'name', { value: native.name, configurable: true });
  p.defineProperty(guarded, 'length', { value: 1, configurable: true });
  p.defineProperty(guarded, 'prototype', { value: native.prototype as object, writable: false });
  p.defineProperty(native.prototype as object, 'constructor', { value: guarded });
  return guarded;
}

function checked(source: string): string {
  if (p.regExpExec(importPattern, source) === null) return source;
  throw new p.NativeSyntaxError('evaluated text cannot contain "import"; import at the top of the program instead');
}
