import type { GuestExports } from './abi/core-guest.ts';
import { WARM_UP_ANSWERS, WARM_UP_CALLS, WARM_UP_OPTIONS, WARM_UP_PROGRAM } from './warm-up-program.ts';

/**
 * One run, so that what the engine makes at the first call of a function is made already; the last `load` forgets the run. The host
 * must answer `callTool` with 1 and 2.
 *
 * @throws Error when the engine cannot run it.
 */
export function warmUpGuest(guest: GuestExports): void {
  const refusal = guest.load(WARM_UP_PROGRAM);
  guest.start('null', WARM_UP_OPTIONS);
  guest.status();
  guest.resume(1, WARM_UP_CALLS, WARM_UP_ANSWERS);
  guest.resume(2, [], []);
  const [head = ''] = guest.status();
  if (!head.includes('"completed"')) throw new Error(`the engine cannot run its first program: ${refusal}${head.slice(0, 2_000)}`);
  guest.load('');
}
