import { shutFlags } from '../shut-flags.ts';
import { CODE_ACCESS } from './code-access.ts';

/** What makes an engine fast. Changes no result. */
const SPEED = [
  // The meter marks its calls of the host as unlikely; with the hints in use metering costs half.
  '--experimental-wasm-branch-hinting',
  // The garbage collector takes a dropped instance for a small object, so workers ask it to look; see `instance-pool.ts`.
  '--expose-gc',
];

/** Makes Node compile its own code anew, which takes a start longer: for the process that strangers' programs run in. */
const NO_EVAL = '--disallow-code-generation-from-strings';

/** How the executor process is started: under Node's permission model, with no right but to read its code and start its workers. */
export function executorFlags(): string[] {
  return [...SPEED, NO_EVAL, ...shutFlags(), ...CODE_ACCESS, '--allow-worker'];
}
