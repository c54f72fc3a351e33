import { toSandboxError } from '../errors.ts';
import type { Attempt, LeftAway, Next } from './attempt.ts';
import type { HeldRun } from './held-run.ts';
import type { KeptImage } from './kept-image.ts';
import { putAway } from './put-away.ts';
import { RESTLESS } from './run-ends.ts';
import { goOn } from './wake.ts';

/** The run has left its executor with an image: it is stored and waits, or goes on at once when it cannot be. */
export async function putToSleep(run: HeldRun, { run: left, takeImage }: LeftAway): Promise<Next> {
  run.hasBegun = true;
  run.clock.set(left.now);
  run.book.writeUnsent(left.pending);
  const bytes = takeImage();
  if (!run.pace.putAway(bytes.length, run.all.clocks.monotonic())) return run.ends.failed('ERR_EXECUTE_LOST', RESTLESS);
  const { image, refusal } = await putAway(run.all, run.record, left, bytes);
  if (refusal !== undefined) return stayAwake(run, image, refusal);
  run.restarts.progress();
  return sleepUntilDue(run, image);
}

/** Waits with as little as there can be. The image has been counted as waiting. */
export async function sleepUntilDue(run: HeldRun, image: KeptImage): Promise<Next> {
  const { wait } = image;
  const { clock, book, request } = run;
  const dueAt = Math.min(wait.nextTimer ?? Infinity, Math.ceil(wait.now + request.limits.waitMs - wait.usage.waitingMs));
  const isDue = (): boolean => run.isOver || book.hasAnswer(wait.pending) || clock.now() >= dueAt;
  run.image = image;
  run.state.asleep(wait.nextTimer);
  if (!isDue()) image.sleep();
  await run.sleep.until(isDue, clock.monotonicAt(dueAt));
  run.all.waiting.leave();
  return goOn(run, image);
}

/** Nothing is lost: it goes on at once, from what this process still has, and stays longer than what it waits for. */
async function stayAwake({ all, request, stayUp, pace, clock }: HeldRun, image: KeptImage, refusal: unknown): Promise<Attempt> {
  const { executionId } = request;
  const { code, message } = toSandboxError(refusal);
  all.log.warn({ executionId, code, reason: message }, 'A run that waits cannot be put away: it stays in memory');
  const now = all.clocks.monotonic();
  const hibernation = pace.rules(stayUp.refused(request.hibernation, image.wait, now), now);
  return { kind: 'attempt', from: await image.from(() => clock.now()), hibernation };
}
