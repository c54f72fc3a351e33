import type { SandboxError } from '../../errors.ts';
import { DirectConnection } from './direct-connection.ts';
import type { TablesOptions } from './execution-tables.ts';
import { StoreOrder } from './store-order.ts';
import type { StoreRequest } from './store-protocol.ts';

/** How long the thread does not hear of what was written beside it, in milliseconds. */
const NOTE_MS = 100;

/**
 * Small writes in the gateway's own thread. To ask another thread for one and to hear of it takes several times as long as to write, and every call that may not
 * be made twice waits for that. What cannot be written here at once (somebody else writes, the disk is full, the file is damaged) is left to the store's
 * thread, which waits, and says what is wrong.
 */
export class DirectWrites {
  readonly #options: TablesOptions;
  /** Has the thread told how many writes there were. */
  readonly #note: () => void;
  readonly #order = new StoreOrder();
  #connection: DirectConnection | undefined;
  #unnoted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TablesOptions, note: () => void) {
    this.#options = options;
    this.#note = note;
  }

  /** Writes for this owner, which is alive. Where that cannot be the thread writes everything. */
  open(owner: string): void {
    const { file, group, limits } = this.#options;
    if (file === undefined) return;
    try {
      this.#connection ??= new DirectConnection({ file, group, limits, owner });
    } catch {
      // The thread tells what is wrong with the file when somebody asks it for something.
    }
  }

  /** Writes what can be written without changing the order of anything. @param now - milliseconds since 1970 @returns what each gives */
  write(requests: readonly StoreRequest[], now: number): ReadonlyMap<StoreRequest, unknown> {
    if (this.#connection === undefined) return NOTHING;
    const chosen = this.#order.direct(requests);
    const values = chosen.length === 0 ? undefined : this.#connection.write(chosen, now);
    if (values === undefined) return NOTHING;
    this.#unnoted += chosen.length;
    this.#timer ??= setTimeout(this.#note, NOTE_MS).unref();
    return new Map(chosen.map((request, at) => [request, values[at]]));
  }

  /** Why a principal may not begin another execution; undefined when it may, or nothing is known here. */
  refuseBegin(principal: string): SandboxError | undefined {
    return this.#connection?.refuseBegin(principal);
  }

  /** The thread is given these. */
  give(requests: readonly StoreRequest[]): void {
    for (const request of requests) {
      const id = this.#order.give(request);
      if (id !== undefined) this.#connection?.release(id);
    }
  }

  /** It has done one, or failed to. */
  done(number: number, isWritten: boolean): void {
    this.#order.done(number, isWritten);
  }

  /** From now on the thread writes everything. */
  close(): void {
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** How many writes the thread has not been told of; it is told now. */
  takeUnnoted(): number {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writes = this.#unnoted;
    this.#unnoted = 0;
    return writes;
  }
}

const NOTHING: ReadonlyMap<StoreRequest, unknown> = new Map();
