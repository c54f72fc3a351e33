import { SandboxError } from '../errors.ts';

/** Writes that come in the same turn of the event loop, in one transaction: most of what a small write costs is its transaction. */
export class GroupedWrites {
  readonly #transact: (work: () => void) => void;
  readonly #after: () => void;
  #waiting: Write[] = [];
  #ended: Error | undefined;

  /**
   * @param transact - runs work in a transaction, and throws when that cannot be had
   * @param after - once in each transaction, behind the writes
   */
  constructor(transact: (work: () => void) => void, after: () => void) {
    [this.#transact, this.#after] = [transact, after];
  }

  /**
   * Resolves with what `write` gives once it is written. One that refuses with a SandboxError, before it writes anything, fails alone;
   * after any other error nothing of the transaction is kept.
   */
  add(write: () => number): Promise<number> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ write, resolve, reject });
    if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    return promise;
  }

  /** Fails what waits, and all that comes. */
  close(reason: Error): void {
    this.#ended = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #flush(): void {
    const writes = this.#waiting.splice(0);
    if (writes.length === 0) return;
    const settled: (() => void)[] = [];
    try {
      this.#transact(() => {
        for (const write of writes) settled.push(attempt(write));
        this.#after();
      });
    } catch (error) {
      for (const { reject } of writes) reject(error);
      return;
    }
    for (const settle of settled) settle();
  }
}

interface Write {
  readonly write: () => number;
  readonly resolve: (value: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** Does the write now and says what became of it later, when the transaction is through. */
function attempt({ write, resolve, reject }: Write): () => void {
  try {
    const value = write();
    return () => resolve(value);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return () => reject(error);
  }
}
