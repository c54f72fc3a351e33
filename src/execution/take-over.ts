import type { Next } from './attempt.ts';
import { beginAgain, mayRestart } from './begin-again.ts';
import { sleepUntilDue } from './asleep.ts';
import type { ExecutionStart, StoredExecution } from './execution-store.ts';
import type { HeldRun } from './held-run.ts';
import type { KeptImage } from './kept-image.ts';
import { recoveredClock, recoveryOf, restartsInARow } from './recovery.ts';
import { LOST } from './run-ends.ts';

/** A run that another process has begun goes on here: asleep, if it is put away, or from its start. */
export async function takeOver(run: HeldRun, stored: StoredExecution, start: ExecutionStart): Promise<Next> {
  const { calls, history } = stored;
  run.hasBegun = true;
  run.pace.recall(stored.hibernations);
  run.clock = recoveredClock(run.all, stored, start);
  const recovery = await recoveryOf(run.all, run.record, run.request, stored, start);
  if (recovery.kind === 'none') return run.ends.failed(recovery.code, recovery.message, calls);
  run.executor = recovery.executor;
  const mayGoOn = run.restarts.takeOver(stored.restarts, restartsInARow(stored));
  if (recovery.kind === 'image') return takeOverAsleep(run, stored, recovery.image, mayGoOn);
  run.request = { ...run.request, program: recovery.program };
  return (await mayRestart(run, mayGoOn)) ? beginAgain(run, calls, history) : run.ends.failed('ERR_EXECUTE_LOST', LOST, calls);
}

async function takeOverAsleep(run: HeldRun, { status, calls }: StoredExecution, image: KeptImage, mayGoOn: boolean): Promise<Next> {
  run.image = image;
  // If it was awake when its gateway ended, that may have been its doing.
  const wasAwake = status === 'running';
  if (wasAwake && !(await mayRestart(run, mayGoOn))) return run.ends.failed('ERR_EXECUTE_LOST', LOST, calls);
  if (wasAwake) await run.record.asleepAgain();
  run.all.waiting.enter();
  run.book.resume(calls, image.wait);
  return sleepUntilDue(run, image);
}
