import type { MessagePort } from 'node:worker_threads';
import { SandboxError } from '../../errors.ts';
import { createBoard } from '../worker/board.ts';
import type { HeldMemory } from '../worker/held-memory.ts';
import { pagesOf, withoutMemory } from '../large-answer.ts';
import { LineOutbox } from './line-outbox.ts';
import { LineSilence } from './line-silence.ts';
import type { PooledRun } from './pooled-run.ts';
import type { LineEvent, MakeResult, MakeTask, RunMessage } from '../worker-protocol.ts';

/**
 * Runs that a worker may have in their first step: one that computes, and one that is there when that ends. More would wait
 * behind a long computation while other workers have nothing to do.
 */
const FRESH_RUNS = 2;
/** A worker that threw an instance away makes another one; for so long any other is the better choice. */
const RECOVERY_MS = 100;

type Making = Pick<PromiseWithResolvers<MakeResult>, 'resolve' | 'reject'>;

/** The main thread's end of one worker's line: what is on that worker, and the messages to it and from it. */
export class WorkerLine {
  readonly #board;
  readonly #port: MessagePort;
  readonly #onChange: () => void;
  readonly #runs = new Map<number, PooledRun>();
  readonly #makes = new Map<number, Making>();
  /** Runs in their first step, oldest first, and programs that are being made. */
  readonly #fresh = new Set<number>();
  readonly #freeSlots: number[];
  readonly #outbox: LineOutbox;
  readonly #silence = new LineSilence();
  #recoversAt = 0;
  #lastKey = '';

  /** @param onChange is called when the worker may have room for another run. @param held what the runs of all workers hold. */
  constructor(port: MessagePort, maxRuns: number, onChange: () => void, held?: HeldMemory) {
    this.#port = port;
    this.#outbox = new LineOutbox(port);
    this.#onChange = onChange;
    // More than runs, because a run that was taken back leaves its slot occupied for a while.
    this.#freeSlots = Array.from({ length: maxRuns + FRESH_RUNS }, (_, slot) => maxRuns + FRESH_RUNS - 1 - slot);
    this.#board = createBoard(this.#freeSlots.length, held);
    port.on('message', (events: readonly LineEvent[]) => {
      for (const event of events) this.#receive(event);
    });
  }

  get board(): SharedArrayBuffer {
    return this.#board.memory;
  }

  /** Whether its worker has ever begun to serve. */
  get hasServed(): boolean {
    return this.#board.hasServed;
  }

  get heldPages(): number {
    return this.#board.heldPages;
  }

  /** How little the worker is suited for a run of the program just now: less is better, Infinity is full. */
  load(key: string): number {
    if (this.isFull || this.#fresh.size >= FRESH_RUNS) return Infinity;
    const isRecovering = this.#recoversAt > 0 && performance.now() < this.#recoversAt;
    // A worker that had the program last finds it in its caches; beside that the emptier one is better.
    return (
      this.#fresh.size * 16 + (this.#board.busy ? 8 : 0) + (isRecovering ? 4 : 0) + (key === this.#lastKey ? 0 : 1) + this.#runs.size / 8
    );
  }

  /** Whether it has as many runs as it may, whatever they do. */
  get isFull(): boolean {
    return this.#freeSlots.length <= FRESH_RUNS;
  }

  get isBusy(): boolean {
    return this.#board.busy;
  }

  get isIdle(): boolean {
    return this.#fresh.size === 0 && !this.isBusy;
  }

  /** How long the worker has given no sign of life although it was asked, in milliseconds. Asks anew where it has, or has nothing to do. */
  silentMs(now: number): number {
    const hasWork = this.#runs.size > 0 || this.#makes.size > 0;
    return this.#silence.look(now, hasWork ? this.#board.beats : undefined, () => this.#outbox.send({ type: 'ping' }));
  }

  /** Time in which this thread was not there to listen counts for nothing. */
  forgetSilence(): void {
    this.#silence.forget();
  }

  /** Gives the worker a run, for which {@link load} has found room. */
  post(run: PooledRun): void {
    const slot = this.#freeSlots.pop() ?? 0;
    this.#board.reset(slot);
    run.line = this;
    run.slot = slot;
    run.postedAt = performance.now();
    run.onPosted?.();
    run.onPosted = undefined;
    this.#runs.set(run.number, run);
    this.#fresh.add(run.number);
    this.#lastKey = run.task.key;
    this.#outbox.send({ type: 'run', run: run.number, slot, queuedMs: run.postedAt - run.queuedAt, task: run.task });
  }

  make(run: number, task: MakeTask): Promise<MakeResult> {
    const { promise, ...making } = Promise.withResolvers<MakeResult>();
    this.#makes.set(run, making);
    this.#fresh.add(run);
    this.#lastKey = task.key;
    this.#outbox.send({ type: 'make', run, task });
    return promise;
  }

  tell({ number }: PooledRun, message: RunMessage): void {
    const run = this.#runs.get(number);
    if (!run) return;
    if (message.type === 'answer') run.movedAt = performance.now();
    // While the worker computes its messages pile up: what they hold is given back when the worker takes them.
    const pages = pagesOf(message);
    const isTooMuch = pages > 0 && message.type === 'answer' && !this.#board.tryHold(pages);
    this.#outbox.send({ type: 'message', run: number, message: isTooMuch ? withoutMemory(message) : message });
  }

  /** Stops a run that the worker has begun. */
  cancel(run: PooledRun): void {
    this.#board.interrupt(run.slot);
    this.tell(run, { type: 'cancel' });
  }

  /** Takes a run back. False when the worker has begun it. */
  takeBack(run: PooledRun): boolean {
    if (!this.#board.takeBack(run.slot)) return false;
    run.line = undefined;
    this.#runs.delete(run.number);
    this.#fresh.delete(run.number);
    // Its slot is free when the worker has come by.
    return true;
  }

  /** Runs that the worker has and has not begun. */
  unbegun(): PooledRun[] {
    return [...this.#fresh].flatMap((number) => {
      const run = this.#runs.get(number);
      return run && !this.#board.hasBegun(run.slot) ? [run] : [];
    });
  }

  /** Runs that may be put away when they wait, and are past their first step. */
  mayLeave(): PooledRun[] {
    return [...this.#runs.values()].filter((run) => run.task.hibernation !== undefined && !this.#fresh.has(run.number));
  }

  /** The worker is gone, and with it all that it had begun. @returns the runs that it had not begun: another one can have them. */
  lose(error: Error): PooledRun[] {
    const unbegun = [...this.#runs.values()].filter((run) => this.takeBack(run));
    for (const run of this.#runs.values()) {
      run.line = undefined;
      run.fail(error);
    }
    for (const making of this.#makes.values()) making.reject(error);
    this.#runs.clear();
    this.#makes.clear();
    this.#fresh.clear();
    this.#port.close();
    return unbegun;
  }

  #receive(event: LineEvent): void {
    switch (event.type) {
      case 'step':
        if (event.waits) this.#fresh.delete(event.run);
        this.#runs.get(event.run)?.hear(event);
        if (event.waits) this.#onChange();
        break;
      case 'waiting':
        this.#runs.get(event.run)?.news.onWaiting?.(event.nextTimer);
        break;
      case 'end': {
        if (event.broken) this.#recoversAt = performance.now() + RECOVERY_MS;
        this.#over(event.run)?.end(event);
        this.#onChange();
        break;
      }
      case 'failed': {
        const error = event.code === undefined ? new Error(event.message) : new SandboxError(event.code, event.message);
        this.#making(event.run)?.reject(error);
        this.#over(event.run)?.fail(error);
        this.#onChange();
        break;
      }
      case 'made':
        this.#making(event.run)?.resolve(event.result);
        this.#onChange();
        break;
      case 'skipped':
        this.#freeSlots.push(event.slot);
        this.#onChange();
        break;
    }
  }

  #making(run: number): Making | undefined {
    const making = this.#makes.get(run);
    this.#makes.delete(run);
    this.#fresh.delete(run);
    return making;
  }

  #over(number: number): PooledRun | undefined {
    const run = this.#runs.get(number);
    if (!run) return undefined;
    this.#runs.delete(number);
    this.#fresh.delete(number);
    this.#freeSlots.push(run.slot);
    run.line = undefined;
    return run;
  }
}
