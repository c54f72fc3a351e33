/* oxlint-disable no-extend-native -- to put natives right is what this file is for */
/** What QuickJS has and neither the other engine nor a released standard does: a program must not come to rely on it. */
const AHEAD: readonly (readonly [object, readonly string[]])[] = [
  [Iterator, ['zip', 'zipKeyed']],
  [Iterator.prototype as object, ['chunks', 'windows', 'includes', 'join']],
  [ArrayBuffer.prototype, ['immutable', 'sliceToImmutable', 'transferToImmutable']],
];
/** Frames of an error's stack that the engine keeps; those of the runtime count too. */
const FRAMES = 64;

/**
 * Makes the language of QuickJS that of the other engine. Runs before the rest of the runtime is evaluated, which takes the functions
 * that are put in place here.
 */
export function installLanguage(): void {
  for (const [owner, names] of AHEAD) for (const name of names) delete (owner as Record<string, unknown>)[name];
  const errors = Error as unknown as { stackTraceLimit?: number; prepareStackTrace?: unknown };
  errors.stackTraceLimit = FRAMES;
  // A program that could set these would run code of its own inside the runtime, and see the runtime's frames.
  delete errors.stackTraceLimit;
  delete errors.prepareStackTrace;

  // The engine calls it for every template literal, those of the runtime too.
  Object.defineProperty(String.prototype, 'concat', { writable: false, configurable: false });
}
