import type { GuestExports } from '../abi/core-guest.ts';
import { WARM_UP_OPTIONS } from '../warm-up-program.ts';

/**
 * Allocates blocks, which the engine fills with zeros, until there is no memory left, from large to small; then all are let go. The
 * reserve is for the errors in between.
 */
const PROGRAM = `return (async () => {
  let reserve = new ArrayBuffer(16384);
  let held = [];
  for (const size of [1048576, 262144, 65536, 16384, 4096, 1024, 256]) {
    try { for (;;) held.push(new ArrayBuffer(size)); } catch { continue; }
  }
  held = reserve = null;
})();
`;

/**
 * Overwrites what the engine has freed. It would be in the image of every program: to be copied into every instance, and to be compared
 * before every run.
 *
 * @param guest of an instance whose memory cannot grow.
 * @throws Error when the program does not complete.
 */
export function clearFreeMemory(guest: GuestExports): void {
  const refusal = guest.load(PROGRAM);
  guest.start('null', WARM_UP_OPTIONS);
  const [head = ''] = guest.status();
  if (!head.includes('"completed"')) throw new Error(`the engine's free memory cannot be cleared: ${refusal}${head.slice(0, 2_000)}`);
  guest.load('');
}
