import { SandboxError } from '../errors.ts';

export interface GroupedWritesOptions {
  /** Runs work in a transaction, and throws when that cannot be had. */
  readonly transact: (work: () => void) => void;
  /** Once in each transaction, behind the writes. */
  readonly after: () => void;
  /** Whether the writes of a transaction that failed so are tried one by one: a small one may fit where all do not. Default: never. */
  readonly isWorthRetrying?: (error: unknown) => boolean;
}

/** Writes that come in the same turn of the event loop, in one transaction and in their order: most of what a small write costs is its transaction. */
export class GroupedWrites {
  readonly #options: GroupedWritesOptions;
  #waiting: Write[] = [];
  #ended: Error | undefined;

  constructor(options: GroupedWritesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with what `write` gives once it is written. One that refuses with a SandboxError, before it writes anything, fails alone;
   * after any other error nothing of the transaction is kept.
   */
  add<T>(write: () => T): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ attempt: () => attempt(write, resolve, reject), reject });
      if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Fails what waits, and all that comes. */
  close(reason: Error): void {
    this.#ended = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  /** Writes what waits, now. */
  flush(): void {
    const writes = this.#waiting.splice(0);
    if (writes.length > 0) this.#write(writes);
  }

  #write(writes: readonly Write[]): void {
    const settled: (() => void)[] = [];
    try {
      this.#options.transact(() => {
        for (const write of writes) settled.push(write.attempt());
        this.#options.after();
      });
    } catch (error) {
      if (writes.length > 1 && this.#options.isWorthRetrying?.(error) === true) {
        for (const write of writes) this.#write([write]);
        return;
      }
      for (const { reject } of writes) reject(error);
      return;
    }
    for (const settle of settled) settle();
  }
}

interface Write {
  readonly attempt: () => () => void;
  readonly reject: (reason: unknown) => void;
}

/** Does the write now and says what became of it later, when the transaction is through. */
function attempt<T>(write: () => T, resolve: (value: T) => void, reject: (reason: unknown) => void): () => void {
  try {
    const value = write();
    return () => resolve(value);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return () => reject(error);
  }
}
