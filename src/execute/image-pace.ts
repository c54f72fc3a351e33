import type { HibernationRules, RunFrom } from './run.ts';

const MIB = 1024 * 1024;
/** An image of up to so many bytes has no price: those of typical runs are a tenth of it. */
const FREE_BYTES = MIB;
/** What one run may have packed, stored and read again for each millisecond that it stays in between, in bytes. */
const BYTES_PER_MS = MIB / 2_000;

/**
 * When a run that goes on may leave again. To pack, store and read an image costs the worker and the store, which others wait for, and costs the run
 * nothing: one with a large image stays for as long as that is worth. Against: programs that fill their memory and sleep in a loop. Where places or memory
 * are short a run is asked to leave all the same.
 */
export function pacedRules(rules: HibernationRules, from: RunFrom | undefined): HibernationRules {
  if (from?.kind !== 'image' || from.image.length <= FREE_BYTES) return rules;
  return { ...rules, afterMs: Math.max(rules.afterMs, Math.ceil(from.image.length / BYTES_PER_MS)) };
}
