import { deepStrictEqual } from 'node:assert';
import { vi } from 'vitest';
import type { FinishedRun } from '../../src/execute/worker/run-program.ts';
import type { RunFrom, RunStep } from '../../src/execute/run.ts';
import type { SentCall } from '../../src/execute/worker-protocol.ts';
import { randomFrom } from './random-program.ts';
import { START, taskOf, type TaskOptions, type ThreadRun, type ThreadWorker } from './thread-worker.ts';

export type Outcome = NonNullable<FinishedRun['outcome']>;
type Manner = 'never' | 'always' | 'at random' | 'twice at random';

const MOST_ACTIONS = 2_000;
export const LIMITS = { maxConcurrentToolCalls: 3, maxLogBytes: 2_000 };
const RULES = { afterMs: 10_000_000, maxImageBytes: 100_000_000 };

export interface Played {
  readonly outcome: Outcome;
  readonly steps: readonly RunStep[];
  readonly hibernations: number;
}

/** What a tool answers: it depends on the call alone. */
export function answerTo({ number, arguments: args }: SentCall): { text: string; ok: boolean } {
  if (number % 5 === 0) return { ok: false, text: JSON.stringify({ error: { code: 'ERR_CALL_TOOL', message: `no ${number}` } }) };
  return { ok: true, text: JSON.stringify({ ok: `${args.length} `.repeat((number * 37) % 400) }) };
}

/** One run under one schedule, that is put away now and then by others, in instances of two workers. */
export class Schedule {
  readonly #random: () => number;
  readonly #moods: () => number;
  readonly #manner: Manner;
  readonly #task: (more?: TaskOptions) => ReturnType<typeof taskOf>;
  readonly #began = performance.now();
  readonly #open = new Map<number, SentCall>();
  readonly #steps: RunStep[] = [];
  #runs: ThreadRun[] = [];
  #asleep: Extract<RunFrom, { kind: 'image' }> | undefined;
  #nextTimer: number | null = null;
  #hibernations = 0;
  readonly #places: readonly ThreadWorker[];
  #taken = 0;

  constructor(workers: readonly ThreadWorker[], body: string, seed: number, manner: Manner) {
    this.#places = workers;
    this.#random = randomFrom(seed);
    this.#moods = randomFrom(seed + 7);
    this.#manner = manner;
    const hibernation = manner === 'never' ? {} : { hibernation: { ...RULES, ...(manner === 'always' ? { afterMs: 0 } : {}) } };
    this.#task = (more = {}) => taskOf(body, { limits: LIMITS, ...hibernation, ...more });
  }

  async play(): Promise<Played> {
    await this.#begin(this.#task());
    for (let action = 0; action < MOST_ACTIONS; action++) {
      const outcome = this.#runs[0]?.left?.outcome;
      if (outcome) return { outcome, steps: this.#steps, hibernations: this.#hibernations };
      if (this.#manner.endsWith('at random') && this.#moods() < 0.4) await this.#tell((run) => run.port.receive({ type: 'hibernate' }));
      if (this.#open.size > 0 && this.#random() < 0.6) await this.#answerSome();
      else await this.#pass(1 + Math.floor(this.#random() * 20));
    }
    throw new Error('the run does not end');
  }

  get #now(): number {
    return START + performance.now() - this.#began;
  }

  async #begin(task: ReturnType<typeof taskOf>): Promise<void> {
    const twins = this.#manner === 'twice at random' && task.from ? 2 : 1;
    this.#runs = Array.from({ length: twins }, () => (this.#places[this.#taken++ % 2] as ThreadWorker).begin(task));
    await this.#settle();
  }

  async #tell(say: (run: ThreadRun) => void): Promise<void> {
    if (this.#asleep) return;
    for (const run of this.#runs) say(run);
    await this.#settle();
  }

  /** Until all of them rest or have left; what they did has to be the same. */
  async #settle(): Promise<void> {
    for (const run of this.#runs) await run.settled();
    const [first, ...others] = this.#runs;
    if (!first || first.thrown !== undefined) throw first?.thrown ?? new Error('there is no run');
    for (const twin of others) {
      deepStrictEqual([twin.calls, twin.steps, twin.left?.outcome], [first.calls, first.steps, first.left?.outcome]);
      // Which instance it was in leaves no trace in it.
      deepStrictEqual(twin.left?.hibernated?.image, first.left?.hibernated?.image);
    }
    for (const call of first.calls.splice(0)) this.#open.set(call.number, call);
    this.#steps.push(...first.steps.splice(0));
    for (const twin of others) {
      twin.calls.length = 0;
      twin.steps.length = 0;
    }
    const left = first.left?.hibernated;
    if (!left || this.#asleep) return;
    this.#hibernations++;
    const { image, now, pending, lastCall, nextTimer } = left;
    deepStrictEqual(now, this.#now);
    deepStrictEqual(
      pending,
      [...this.#open.keys()].toSorted((a, b) => a - b),
    );
    this.#asleep = { kind: 'image', image, now, pending, lastCall };
    this.#nextTimer = nextTimer;
  }

  async #wake(): Promise<void> {
    if (!this.#asleep) return;
    const from = { ...this.#asleep, now: this.#now };
    this.#asleep = undefined;
    await this.#begin(this.#task({ from }));
    deepStrictEqual(this.#runs[0]?.awaits, from.pending);
  }

  async #answerSome(): Promise<void> {
    const chosen = [...this.#open.values()].toSorted(() => this.#random() - 0.5).slice(0, 1 + Math.floor(this.#random() * 3));
    await this.#wake();
    for (const call of chosen) this.#open.delete(call.number);
    await this.#tell((run) => {
      for (const call of chosen) {
        const { ok, text } = answerTo(call);
        run.answer(call.number, text, ok);
      }
    });
  }

  async #pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      vi.advanceTimersByTime(1);
      if (this.#asleep && this.#nextTimer !== null && this.#nextTimer <= this.#now) await this.#wake();
      else if (!this.#asleep) await this.#settle();
    }
  }
}
