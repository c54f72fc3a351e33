import { toWellFormed } from './primordials.ts';

/**
 * The engine that this runtime is built into. Decided once, when the engine's image is made; the few places where the engines
 * differ ask for it by name.
 */
export const isQuickJs: boolean = '__cqjs' in globalThis;

/** A text as the host may be given it: half a surrogate pair becomes U+FFFD, which QuickJS leaves to us. */
export function hostText(text: string): string {
  return isQuickJs ? toWellFormed(text) : text;
}
