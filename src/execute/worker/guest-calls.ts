import type { EngineInstance } from './engine-instance.ts';
import { readGuestStatus, statusBounds, type GuestStatus } from './guest-status.ts';
import type { Delivery } from './mailbox.ts';
import type { WorkerTask } from '../worker-protocol.ts';

/** What a guest is given by one `resume`. */
export interface Given extends Delivery {
  /** The run's clock. */
  readonly now: number;
}

/** Calls the exports of a run's guest, each in active time and with the status after it. */
export class GuestCalls {
  readonly #instance: EngineInstance;
  readonly #task: WorkerTask;
  readonly #bounds: readonly number[];
  /** True while an export call runs, and for ever when one does not return. */
  broken = false;

  constructor(instance: EngineInstance, task: WorkerTask) {
    this.#instance = instance;
    this.#task = task;
    this.#bounds = statusBounds(task.limits);
  }

  start(): GuestStatus {
    this.#call(() => this.#instance.guest.start(this.#task.input, startOptions(this.#task)));
    return this.#status();
  }

  resume({ now, calls, answers }: Given): GuestStatus {
    this.#call(() => this.#instance.guest.resume(now, calls, answers));
    return this.#status();
  }

  #status(): GuestStatus {
    // A status that is not of the contract is a broken instance, too.
    return this.#call(() => readGuestStatus(this.#instance.guest.boundedStatus(this.#bounds), this.#task.limits));
  }

  #call<T>(call: () => T): T {
    this.broken = true;
    const value = this.#instance.meter.active(call);
    this.broken = false;
    return value;
  }
}

function startOptions({ now, seed, limits }: WorkerTask): string {
  const { maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes } = limits;
  return JSON.stringify({ now, seed, maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes });
}
