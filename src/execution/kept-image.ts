import { SandboxError } from '../errors.ts';
import type { RunFrom, RunStep } from '../execute/run.ts';
import type { StoredExecution, StoredWait } from './execution-store.ts';
import type { RunRecord } from './run-record.ts';

/** The image that a run can go on from, in the store and for a moment in memory. */
export class KeptImage {
  readonly wait: StoredWait;
  readonly #record: RunRecord;
  #bytes: Uint8Array | undefined;
  /** Whether the run has told of anything since: then it would not do the same again from here. */
  hasNews: boolean;

  constructor(record: RunRecord, wait: StoredWait, bytes: Uint8Array | undefined, hasNews = false) {
    this.wait = wait;
    this.#record = record;
    this.#bytes = bytes;
    this.hasNews = hasNews;
  }

  /** From now on the store alone has its bytes. */
  sleep(): void {
    this.#bytes = undefined;
  }

  /** @param now the run's clock, when the image has been read @throws SandboxError ERR_EXECUTION_DAMAGED when it is not there as it was */
  async from(now: () => number): Promise<RunFrom> {
    const image = this.#bytes ?? (await this.#record.image());
    this.#bytes = undefined;
    if (image === undefined) throw new SandboxError('ERR_EXECUTION_DAMAGED', 'The memory of the run is not in the store any more.');
    return { kind: 'image', image, now: now(), pending: this.wait.pending, lastCall: this.wait.lastCall };
  }
}

/** The image of an execution that another process has left; undefined where there is none to go on from. */
export function storedImage(record: RunRecord, { wait, canWake, isComplete, calls, history }: StoredExecution): KeptImage | undefined {
  if (wait === undefined || !canWake) return undefined;
  const hasNews = calls.some(({ number }) => number > wait.lastCall) || history.steps.some(([now]: RunStep) => now > wait.now);
  // Without all that came after it the run can go on from nowhere else: a call that differs then ends it.
  return hasNews && isComplete ? undefined : new KeptImage(record, wait, undefined, hasNews);
}
