import type { CallBook } from './calls/call-book.ts';
import type { RunObserver } from './durable-run.ts';
import type { RunRecord } from './run-record.ts';

/** Where a run is, for those who wait for it and for the store. */
export class RunState {
  readonly #book: CallBook;
  readonly #record: RunRecord;
  readonly #observer: RunObserver | undefined;
  #isAsleep = false;
  /** It should be put away, and waits where it is. */
  #isStaying = false;
  /** Its earliest timer, in either case. */
  #timer: number | null = null;
  #isWaiting = false;

  constructor(book: CallBook, record: RunRecord, observer: RunObserver | undefined) {
    this.#book = book;
    this.#record = record;
    this.#observer = observer;
  }

  /** It is put away. The store knows. @param nextTimer in milliseconds since 1970 */
  asleep(nextTimer: number | null): void {
    this.#isAsleep = true;
    this.#isWaiting = true;
    this.#timer = nextTimer;
    this.#tell();
  }

  stays(nextTimer: number | null): void {
    this.#isStaying = true;
    this.#timer = nextTimer;
    this.questionsChanged();
  }

  /** It is in an executor and does something. */
  goesOn(): void {
    if (!this.#isAsleep && !this.#isStaying) return;
    this.#isAsleep = false;
    this.#isStaying = false;
    this.#timer = null;
    this.questionsChanged();
  }

  /** A person is asked about a call, or is not any more. */
  questionsChanged(): void {
    if (this.#isAsleep) return this.#tell();
    const isWaiting = this.#isStaying || this.#book.hasQuestion;
    if (!isWaiting && !this.#isWaiting) return;
    if (isWaiting !== this.#isWaiting) this.#record.status(isWaiting ? 'waiting' : 'running');
    this.#isWaiting = isWaiting;
    this.#tell();
  }

  #tell(): void {
    if (!this.#isWaiting) return this.#observer?.onWaiting(undefined);
    const timer = this.#timer === null ? [] : [{ kind: 'timer' as const, at: this.#timer }];
    this.#observer?.onWaiting([...this.#book.reasons(), ...timer]);
  }
}
