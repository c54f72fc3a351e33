import type { Clocks } from './run-clock.ts';

/** A longer time does not fit into a timer of Node. */
const MAX_TIMER_MS = 2_147_483_647;

/** One time to wake at. */
export interface WakeTime {
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
  readonly wake: () => void;
  /** Place in the heap; -1 when it is not in it. */
  place: number;
}

/** The timers of all sleeping runs: a heap, and one timer of the process for the earliest. It does not keep the process alive. */
export class WakeTimers {
  readonly #clocks: Pick<Clocks, 'monotonic'>;
  readonly #heap: WakeTime[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer of the process fires. */
  #armedFor = Infinity;

  constructor(clocks: Pick<Clocks, 'monotonic'>) {
    this.#clocks = clocks;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Wakes once at that time, or as soon as this thread is free. */
  at(at: number, wake: () => void): WakeTime {
    const time: WakeTime = { at, wake, place: this.#heap.length };
    this.#heap.push(time);
    this.#rise(time);
    if (at < this.#armedFor) this.#arm();
    return time;
  }

  cancel(time: WakeTime): void {
    const { place } = time;
    if (place < 0) return;
    time.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === time) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const time of this.#heap.splice(0)) time.place = -1;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [first] = this.#heap;
    this.#armedFor = first?.at ?? Infinity;
    if (first === undefined) return;
    const left = Math.ceil(first.at - this.#clocks.monotonic());
    this.#timer = setTimeout(() => this.#wakeDue(), Math.min(Math.max(left, 1), MAX_TIMER_MS)).unref();
  }

  #wakeDue(): void {
    const now = this.#clocks.monotonic();
    for (let [first] = this.#heap; first !== undefined && first.at <= now; [first] = this.#heap) {
      this.cancel(first);
      first.wake();
    }
    this.#arm();
  }

  #put(time: WakeTime, place: number): void {
    this.#heap[place] = time;
    time.place = place;
  }

  #rise(time: WakeTime): void {
    for (;;) {
      const parent = this.#heap[(time.place - 1) >> 1];
      if (parent === undefined || parent.at <= time.at) return;
      this.#swap(time, parent);
    }
  }

  #sink(time: WakeTime): void {
    for (;;) {
      const [left, right] = [this.#heap[2 * time.place + 1], this.#heap[2 * time.place + 2]];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= time.at) return;
      this.#swap(child, time);
    }
  }

  /** @param lower goes up */
  #swap(lower: WakeTime, upper: WakeTime): void {
    const [from, to] = [lower.place, upper.place];
    this.#put(lower, to);
    this.#put(upper, from);
  }
}
