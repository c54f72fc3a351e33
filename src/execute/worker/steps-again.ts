import type { Given } from './guest-calls.ts';
import { RunClock } from './run-clock.ts';
import type { RunHost } from './run-host.ts';
import { awayMs } from './sleeping-run.ts';
import type { RunStep } from '../run.ts';

/** Gives a run that is begun again what it was given before, and lets time go on after that. */
export class StepsAgain {
  readonly #host: RunHost;
  /** The run's clock, were it past all of them. */
  readonly #later: RunClock;

  constructor(host: RunHost, now: number) {
    this.#host = host;
    this.#later = new RunClock(now);
  }

  /** What the run was given before it is given again; nobody has to be told of it a second time. */
  async next([now, ...answered]: RunStep, nextTimer: number | null): Promise<Given> {
    const { script, calls, mailbox, waits } = this.#host;
    script.check(nextTimer, (call) => calls.isRunning(call));
    mailbox.offerEarly();
    await waits.untilAnswered(answered.length);
    const delivery = mailbox.take(answered);
    script.advance();
    return { now, ...delivery };
  }

  /** All that the run was given before it has been given again: from now on time goes on, from where it would be by now. */
  goLive(nextTimer: number | null): void {
    const { script, clock, waits, mailbox, task, place } = this.#host;
    const { lastAt } = script;
    clock.moveTo(Math.max(lastAt, this.#later.now()));
    const waited = lastAt - task.now - place.instance.meter.activeMs;
    waits.raiseTo(waited + awayMs(lastAt, nextTimer, clock.now()));
    mailbox.offerEarly();
  }
}
