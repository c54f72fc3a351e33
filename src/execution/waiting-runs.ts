import { SandboxError } from '../errors.ts';

/** Counts runs that are put away. */
export class WaitingRuns {
  readonly #most: number;
  #count = 0;

  /** @param most that may be */
  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#most;
  }

  /** Lets a new run begin. @throws SandboxError ERR_EXECUTION_FULL when too many wait */
  admit(): void {
    if (!this.isFull) return;
    throw new SandboxError('ERR_EXECUTION_FULL', `${this.#count} runs wait already, and at most ${this.#most} may.`, {
      hint: 'Try again later. The operator can raise limits.maxWaitingRuns.',
    });
  }

  enter(): void {
    this.#count++;
  }

  leave(): void {
    this.#count--;
  }
}
