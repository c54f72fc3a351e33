import { GuestStop } from './guest-stop.ts';
import type { MeterControl } from './meter-control.ts';
import type { RunEnd } from './run.ts';

/** How a run ended whose export call did not return. Never carries a stack: it would be one of ours. */
export function endOfBrokenCall(thrown: unknown, meter: Pick<MeterControl, 'refusedGrowth'>): Extract<RunEnd, { status: 'failed' }> {
  if (thrown instanceof GuestStop) return { status: 'failed', code: thrown.code, message: thrown.message };
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
    return { status: 'failed', code: 'ERR_EXECUTE_STACK', message: 'The program recursed too deeply.' };
  }
  // The engine gives up with a trap when it cannot allocate; only the host knows that memory was the reason.
  if (meter.refusedGrowth) {
    return { status: 'failed', code: 'ERR_EXECUTE_MEMORY', message: 'The program needed more memory than it may have.' };
  }
  return { status: 'failed', code: 'ERR_EXECUTE_ENGINE', message: 'The JavaScript engine stopped with an internal error.' };
}
