import { SandboxError } from '../../src/errors.ts';
import type {
  CallRecord,
  DurableExecutor,
  HibernatedRun,
  RunEnd,
  RunEvents,
  RunOutcome,
  RunRequest,
  RunStep,
  ToolAnswer,
} from '../../src/execute/run.ts';
import { failed, failure, PlayedLoss } from './played-ends.ts';

/** A run that has gone on stays at least for so long. */
const PATIENCE_MS = 1_000;

/** What a played program does, one after the other: calls that it makes together and waits for, a timer, or calls that carry its clock. */
export type Play = readonly ({ readonly call: readonly string[] } | { readonly sleep: number } | { readonly callWithClock: string })[];

/** All that a played run is between two steps: its image is this as JSON. */
interface State {
  place: number;
  /** Calls of its place without an answer that it has taken. */
  open: number[];
  /** What it was answered, by number of the call. */
  taken: Record<number, ToolAnswer>;
  tools: string[];
  due: number | null;
  now: number;
  waitingMs: number;
  steps: number;
}

type Left = RunOutcome | HibernatedRun;

/**
 * A stand-in for an executor process: it plays programs that are lists, and keeps the contract of {@link DurableExecutor}: steps are told before what they
 * led to, an image and a history lead to the same.
 */
export class PlayedExecutor implements DurableExecutor {
  readonly #attempts = new Set<Attempt>();
  /** Requests in the order in which they came. */
  readonly requests: RunRequest[] = [];
  /** Thrown instead of the next attempt, and taken out. */
  readonly refusals: Error[] = [];
  /** Told of each attempt when it begins. */
  onAttempt: ((request: RunRequest, attempt: number) => void) | undefined;
  /** Changes the tool that a program calls when it is begun again. */
  differ: ((tool: string, request: RunRequest) => string) | undefined;
  /** Tells that it cannot put runs away. */
  keepsAll = false;

  async attempt(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<Left> {
    this.requests.push(request);
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    if (signal.aborted) throw new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
    const attempt = new Attempt(request, events, this);
    this.#attempts.add(attempt);
    this.onAttempt?.(request, this.requests.length);
    const cancel = (): void => attempt.end(failure('ERR_EXECUTE_CANCELLED'));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await attempt.play();
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#attempts.delete(attempt);
    }
  }

  /** Runs that are in it. */
  get size(): number {
    return this.#attempts.size;
  }

  /** The process ends. */
  lose(): void {
    for (const attempt of this.#attempts) attempt.lose();
  }

  run(request: RunRequest, onCall: RunEvents['call'], signal: AbortSignal): Promise<RunOutcome> {
    const { hibernation: _hibernation, ...whole } = request;
    const events: RunEvents = { call: onCall, answer: () => Promise.reject(new Error('no run wakes here')), history: () => undefined };
    return this.attempt(whole, events, signal) as Promise<RunOutcome>;
  }

  prepare(): void {
    // There is nothing to prepare.
  }

  close(): Promise<void> {
    this.lose();
    return Promise.resolve();
  }
}

class Attempt {
  #request: RunRequest;
  readonly #events: RunEvents;
  readonly #executor: PlayedExecutor;
  readonly #play: Play;
  readonly #began = performance.now();
  readonly #left = Promise.withResolvers<Left>();
  readonly #controller = new AbortController();
  /** Answers that have come and no step has taken. */
  readonly #answers = new Map<number, ToolAnswer>();
  #state: State;
  #startNow: number;
  #steps: RunStep[] = [];
  #isOver = false;
  /** It has gone on, and waits for what it was woken for. */
  #isWoken = false;
  #news: (() => void) | undefined;

  constructor(request: RunRequest, events: RunEvents, executor: PlayedExecutor) {
    this.#request = request;
    this.#events = events;
    this.#executor = executor;
    this.#play = JSON.parse(request.program.script) as Play;
    const { from, now = Date.now() } = request;
    this.#state = { place: -1, open: [], taken: {}, tools: [], due: null, now, waitingMs: 0, steps: 0 };
    this.#startNow = now;
    if (from?.kind !== 'image') return;
    this.#state = JSON.parse(Buffer.from(from.image).toString()) as State;
    this.#state.waitingMs += from.now - this.#state.now;
    this.#startNow = from.now;
    this.#isWoken = true;
  }

  play(): Promise<Left> {
    void this.#run().catch((error: unknown) => this.#left.reject(error as Error));
    return this.#left.promise;
  }

  end(end: RunEnd): void {
    this.#leave(() => this.#left.resolve(this.#outcome(end)));
  }

  lose(): void {
    this.#leave(() => this.#left.reject(new PlayedLoss(true)));
  }

  #leave(leave: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    leave();
    this.#controller.abort();
    this.#news?.();
  }

  async #run(): Promise<void> {
    const { from } = this.#request;
    if (from?.kind === 'image') for (const call of from.pending) this.#ask(call, this.#events.answer(call, this.#controller.signal));
    else this.#advance();
    if (from?.kind === 'history') {
      for (const step of from.steps) await this.#repeat(step);
      this.#startNow = from.now ?? this.#state.now;
    }
    while (!this.#isOver) await this.#wait();
  }

  /** A step that was told before. */
  async #repeat(step: RunStep): Promise<void> {
    const [now, ...calls] = step;
    while (!this.#isOver && !calls.every((call) => this.#answers.has(call))) await this.#untilNews(Infinity);
    if (!this.#isOver) this.#step(now, calls, false);
  }

  async #wait(): Promise<void> {
    const { hibernation, limits } = this.#request;
    const { due } = this.#state;
    const from = this.#clock();
    const answered = this.#state.open.filter((call) => this.#answers.has(call));
    if (answered.length > 0) return this.#step(from, answered, true);
    if (due !== null && due <= from) return this.#step(from, [], true);
    if (this.#state.waitingMs >= limits.waitMs) return this.end(failure('ERR_EXECUTE_WAITING_TIME'));
    if (hibernation && !this.#isWoken && this.#mayLeave(from)) return this.#hibernate(from);
    const patience = Math.max(hibernation?.afterMs ?? Infinity, this.#isWoken ? PATIENCE_MS : 0);
    const next = Math.min(due ?? Infinity, from + limits.waitMs - this.#state.waitingMs, from + patience);
    await this.#untilNews(next - from);
    this.#state.waitingMs += this.#clock() - from;
    if (hibernation && !this.#isOver && next === from + patience && this.#isIdle()) this.#hibernate(this.#clock());
  }

  #isIdle(): boolean {
    return !this.#state.open.some((call) => this.#answers.has(call)) && (this.#state.due ?? Infinity) > this.#clock();
  }

  #mayLeave(now: number): boolean {
    const { hibernation } = this.#request;
    const { due, open } = this.#state;
    return (
      hibernation !== undefined && (hibernation.afterMs === 0 || (open.length === 0 && due !== null && due - now > hibernation.afterMs))
    );
  }

  #hibernate(now: number): void {
    if (this.#executor.keepsAll) {
      this.#events.waiting?.(this.#state.due);
      const { hibernation: _hibernation, ...rest } = this.#request;
      this.#request = rest;
      return;
    }
    this.#tell();
    this.#state.now = now;
    const { open, tools, due } = this.#state;
    const image = Buffer.from(JSON.stringify(this.#state));
    const run = {
      status: 'hibernated' as const,
      image,
      pending: [...open],
      lastCall: tools.length,
      nextTimer: due,
      now,
      usage: this.#usage(),
    };
    this.#leave(() => this.#left.resolve(run));
  }

  /** @param isNew whether it is told. */
  #step(now: number, calls: readonly number[], isNew: boolean): void {
    this.#state.now = now;
    this.#state.steps++;
    this.#isWoken = false;
    if (isNew) this.#steps.push([now, ...calls]);
    for (const call of calls) {
      this.#state.taken[call] = this.#answers.get(call) ?? failed('the call of the step has no answer');
      this.#answers.delete(call);
    }
    this.#state.open = this.#state.open.filter((call) => !calls.includes(call));
    if (calls.length === 0) this.#state.due = null;
    if (this.#state.open.length === 0 && this.#state.due === null) this.#advance();
  }

  /** Goes on to the next thing to do. */
  #advance(): void {
    const scene = this.#play[++this.#state.place];
    this.#tell();
    if (scene === undefined) return this.end({ status: 'completed', result: JSON.stringify(this.#state.taken), state: '' });
    if ('sleep' in scene) this.#state.due = this.#state.now + scene.sleep;
    else if ('callWithClock' in scene) this.#call(scene.callWithClock, { now: this.#state.now });
    else for (const tool of scene.call) this.#call(tool, {});
  }

  #call(name: string, more: object): void {
    const tool = this.#request.from === undefined ? name : (this.#executor.differ?.(name, this.#request) ?? name);
    const { executionId } = this.#request;
    const number = this.#state.tools.push(tool);
    this.#state.open.push(number);
    const call = { executionId, number, server: 'played', tool, arguments: JSON.stringify({ number, ...more }) };
    this.#ask(number, this.#events.call(call, this.#controller.signal));
  }

  #ask(call: number, answer: Promise<ToolAnswer>): void {
    void answer.then((said) => {
      if (this.#isOver) return;
      if (this.#answers.has(call)) throw new Error(`call ${call} was answered twice`);
      this.#answers.set(call, said);
      this.#news?.();
    });
  }

  #tell(): void {
    if (this.#steps.length === 0) return;
    this.#events.history({ steps: this.#steps, files: [] });
    this.#steps = [];
  }

  #clock(): number {
    return this.#startNow + Math.floor(performance.now() - this.#began);
  }

  async #untilNews(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === Infinity ? undefined : setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
    this.#news = resolve;
    await promise;
    clearTimeout(timer);
    this.#news = undefined;
  }

  #usage(): RunOutcome['usage'] {
    const { tools, waitingMs, steps } = this.#state;
    return { fuel: steps, peakMemoryBytes: 1, activeMs: 0, waitingMs, toolCalls: tools.length };
  }

  #outcome(end: RunEnd): RunOutcome {
    this.#tell();
    const { tools, taken, steps } = this.#state;
    const calls = tools.map((tool, index): CallRecord => ({ server: 'played', tool, ok: taken[index + 1]?.ok === true, ms: 0 }));
    const logs = [{ level: 'info' as const, message: `${steps} steps` }];
    return { end, logs, droppedLogBytes: 0, calls, usage: this.#usage(), cache: 'hit', phases: { queue: 0, component: 0, run: 0 } };
  }
}
