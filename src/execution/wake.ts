import { toSandboxError } from '../errors.ts';
import type { LeftEnded, Next } from './attempt.ts';
import { outcomeOfSleeping } from './cancel-asleep.ts';
import type { HeldRun } from './held-run.ts';
import type { KeptImage } from './kept-image.ts';
import { CANCELLED } from './made-outcome.ts';

/** Takes a run out of its sleep, once it is its turn: to an executor, or to its end when it was cancelled. */
export async function goOn(run: HeldRun, image: KeptImage): Promise<Next> {
  await run.takeTurn();
  if (run.signal.aborted) return cancelledAsleep(run, image);
  try {
    const from = await image.from(() => run.clock.now());
    run.state.goesOn();
    run.files.forget();
    return run.attempt(from);
  } catch (thrown) {
    return { kind: 'damaged', error: toSandboxError(thrown) };
  }
}

/** The end of a run that was cancelled and has not gone on from its image: with what is in that. */
export async function cancelledAsleep({ all, executor, request, clock, ends }: HeldRun, image: KeptImage): Promise<LeftEnded> {
  const { timers, clocks } = all;
  const ending = { executor, request, image, now: clock.now(), timers, monotonic: () => clocks.monotonic() };
  const outcome = await outcomeOfSleeping(ending, CANCELLED);
  return outcome ? { kind: 'ended', outcome } : ends.with(CANCELLED);
}
