import { TextTooLong } from '../../engine/abi/guest-memory.ts';
import { GuestStop } from './guest-stop.ts';
import type { MeterControl } from './meter-control.ts';
import type { RunEnd } from '../run.ts';

/** What is known of an instance in whose call something went wrong. */
export interface BrokenInstance {
  readonly meter: Pick<MeterControl, 'refusedGrowth'>;
  /** The engine's stack pointer, which a trap leaves where it was; undefined when the engine does not show it. */
  readonly stackPointer?: Pick<WebAssembly.Global, 'value'> | undefined;
}

/** How a run ended whose export call did not return. Never carries a stack: it would be one of ours. */
export function endOfBrokenCall(thrown: unknown, { meter, stackPointer }: BrokenInstance): Extract<RunEnd, { status: 'failed' }> {
  if (thrown instanceof GuestStop) return { status: 'failed', code: thrown.code, message: thrown.message };
  if (thrown instanceof TextTooLong) return { status: 'failed', code: 'ERR_EXECUTE_RESULT_TOO_LARGE', message: thrown.message };
  const isOverflow = thrown instanceof RangeError && /call stack/i.test(thrown.message);
  // The stack is at the bottom of memory: where the engine did not look, it ran out of memory there.
  const isSpent = thrown instanceof WebAssembly.RuntimeError && Number(stackPointer?.value ?? 1) <= 0;
  if (isOverflow || isSpent) return { status: 'failed', code: 'ERR_EXECUTE_STACK', message: 'The program recursed too deeply.' };
  // The engine gives up with a trap when it cannot allocate; only the host knows that memory was the reason.
  if (meter.refusedGrowth) {
    return { status: 'failed', code: 'ERR_EXECUTE_MEMORY', message: 'The program needed more memory than it may have.' };
  }
  return { status: 'failed', code: 'ERR_EXECUTE_ENGINE', message: 'The JavaScript engine stopped with an internal error.' };
}
