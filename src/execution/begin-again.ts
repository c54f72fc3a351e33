import type { ErrorCode, SandboxError } from '../errors.ts';
import type { RunHistory } from '../execute/run.ts';
import type { Attempt, LeftLost, Next } from './attempt.ts';
import type { StoredCall } from './execution-store.ts';
import type { HeldRun } from './held-run.ts';
import { CANCELLED } from './made-outcome.ts';
import { closing, DAMAGED, LOST } from './run-ends.ts';
import { goOn } from './wake.ts';

/** The executor was lost with the run: it goes on from its last image, or from its start. @throws SandboxError the loss, of a run that cannot begin */
export async function afterLoss(run: HeldRun, { hasBegun, error }: LeftLost): Promise<Next> {
  const { restarts, record, ends, image } = run;
  run.hasBegun ||= hasBegun;
  if (!run.hasBegun) {
    if (!restarts.takeFresh()) throw error;
    return run.attempt();
  }
  if (!(await mayRestart(run, restarts.take(hasBegun)))) return ends.failed('ERR_EXECUTE_LOST', LOST);
  if (image === undefined || image.hasNews) return readAgain(run, 'ERR_EXECUTE_LOST', LOST);
  if (hasBegun) await record.restarted();
  return goOn(run, image);
}

/** What was stored of it while it slept is not what it was. */
export async function afterDamage(run: HeldRun, { code, message }: SandboxError): Promise<Next> {
  const { executionId } = run.request;
  run.image = undefined;
  if (!run.restarts.takeDamage()) return run.ends.failed('ERR_EXECUTION_DAMAGED', DAMAGED);
  run.all.log.warn({ executionId, code, reason: message }, 'What was stored of a sleeping run is damaged: it begins again from its start');
  return readAgain(run, 'ERR_EXECUTION_DAMAGED', DAMAGED);
}

/** Waits until it may be begun again, unless it may not. */
export async function mayRestart(run: HeldRun, mayGoOn: boolean): Promise<boolean> {
  const { clocks, random, log } = run.all;
  if (!mayGoOn) return false;
  log.info({ executionId: run.request.executionId }, 'A run was lost with its process and is carried on');
  const until = clocks.monotonic() + run.restarts.delayMs(random());
  await run.sleep.until(() => run.isOver || clocks.monotonic() >= until, until);
  if (run.hasLeft) throw closing();
  return true;
}

/** From the start, with all that it was answered and given. */
export async function beginAgain(run: HeldRun, calls: readonly StoredCall[], { steps, files }: RunHistory): Promise<Attempt> {
  const { turn, record, clock, book } = run;
  await turn.take();
  await record.restarted();
  clock.notBefore(steps.at(-1)?.[0] ?? -Infinity);
  book.recall(calls, steps);
  run.files.recall(files);
  return run.attempt({ kind: 'history', steps, now: clock.now() });
}

/** From the start; with a record that is not whole from the image, if there is one. @param code why it ends when there is none */
async function readAgain(run: HeldRun, code: ErrorCode, message: string): Promise<Next> {
  await run.takeTurn();
  if (run.signal.aborted) return run.ends.with(CANCELLED);
  const { image } = run;
  const stored = await run.record.read().catch(() => undefined);
  if (stored?.isComplete) return beginAgain(run, stored.calls, stored.history);
  if (image === undefined || !stored?.canWake) return run.ends.failed(code, message, stored?.calls);
  run.book.resume(stored.calls, image.wait);
  return goOn(run, image);
}
