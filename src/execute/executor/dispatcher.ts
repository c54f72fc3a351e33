import { SandboxError } from '../../errors.ts';
import { FairQueue } from '../../fair-queue.ts';
import { PooledRun, type RunNews } from './pooled-run.ts';
import type { MakeResult, MakeTask, RunTask } from '../worker-protocol.ts';
import { RoomMaker } from './room-maker.ts';
import type { WorkerLine } from './worker-line.ts';

/** A run that a worker has not begun for so long goes to one that has nothing to do. */
const TAKE_BACK_AFTER_MS = 2;

/**
 * Decides which worker runs what. A run waits here until a worker is free to begin it: runs that wait for a tool take no part of
 * a worker, and one that computes for long holds up at most one other, and that only while no other worker is idle.
 */
export class Dispatcher {
  readonly #maxHeldPages: number;
  readonly #lines = new Set<WorkerLine>();
  /** Everybody's runs in turn, see {@link laneOf}. */
  readonly #queue = new FairQueue<PooledRun>();
  /** Runs that lost a worker before it began them. With the second one they end: where no worker can start they would wait for ever. */
  readonly #orphans = new WeakSet<PooledRun>();
  #next = 1;
  #last: WorkerLine | undefined;
  #watch: NodeJS.Timeout | undefined;
  readonly #room = new RoomMaker(() => [...this.#lines].flatMap((line) => line.mayLeave()));
  #outside = 0;
  #wasStuck = false;

  /** @param maxHeldPages memory of all runs together, in pages of 64 KiB, from which on no further one begins. */
  constructor(maxHeldPages: number) {
    this.#maxHeldPages = maxHeldPages;
  }

  add(line: WorkerLine): void {
    this.#lines.add(line);
    this.dispatch();
  }

  /** The worker of a line is gone. What it had not begun goes to the others, before all that came later. */
  remove(line: WorkerLine, error: Error): void {
    this.#lines.delete(line);
    const unbegun = line.lose(error);
    for (const run of unbegun) if (this.#orphans.has(run)) run.fail(error);
    for (const run of unbegun.toReversed()) if (!this.#orphans.has(run)) this.#queue.unshift(laneOf(run), run);
    for (const run of unbegun) this.#orphans.add(run);
    this.dispatch();
  }

  /** Whether there is no worker at all. */
  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Whether the runs under way hold as much memory as they may together. */
  get isFull(): boolean {
    let held = 0;
    for (const { heldPages } of this.#lines) held += heldPages;
    return held >= this.#maxHeldPages;
  }

  submit(task: RunTask, queuedAt: number, news: RunNews): PooledRun {
    const run = new PooledRun(this.#next++, task, queuedAt, news);
    this.#queue.push(laneOf(run), run);
    this.dispatch();
    return run;
  }

  make(task: MakeTask): Promise<MakeResult> {
    const [first, ...others] = [...this.#lines];
    if (!first) return Promise.reject(new Error('no worker is there'));
    let best = first;
    for (const line of others) if (line.load('') < best.load('')) best = line;
    return best.make(this.#next++, task);
  }

  /** Makes a program that nobody has asked for yet; undefined when no worker is idle. */
  makeAhead(task: MakeTask): Promise<MakeResult> | undefined {
    const idle = [...this.#lines].find((line) => line.isIdle && line.load('') < Infinity);
    return this.#queue.length === 0 ? idle?.make(this.#next++, { ...task, ahead: true }) : undefined;
  }

  /** Stops a run wherever it is: queued, on its way, waiting, or computing (then within a slice of fuel). */
  cancel(run: PooledRun): void {
    if (run.line && !run.line.takeBack(run)) return run.line.cancel(run);
    this.#queue.remove(laneOf(run), run);
    run.fail(new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.'));
    this.dispatch();
    return undefined;
  }

  /** Ends all that waits for a worker. */
  failQueued(error: Error): void {
    for (const run of this.#queue.drain()) run.fail(error);
  }

  /** So many runs wait outside for a place or for memory: as many that only wait are put away, those that wait longest first. */
  makeRoom(places: number): void {
    this.#outside = places;
    this.#room.want(places + (this.#isStuck ? this.#queue.length : 0));
  }

  close(): void {
    clearTimeout(this.#watch);
    this.#room.close();
  }

  /** Gives runs to workers as far as there is room. */
  dispatch(): void {
    if (this.#queue.length > 0) {
      if (!this.isFull) while (this.#postNext());
      this.#watchOver();
    }
    const isStuck = this.#isStuck;
    if (isStuck || this.#wasStuck) this.makeRoom(this.#outside);
    this.#wasStuck = isStuck;
  }

  /** Whether runs wait that no end of a computation would let in: for memory, or for a slot. */
  get #isStuck(): boolean {
    return this.#queue.length > 0 && (this.isFull || [...this.#lines].every((line) => line.isFull));
  }

  #postNext(): boolean {
    const run = this.#queue.first;
    const line = run && this.#bestFor(run.task.key);
    if (!line) return false;
    this.#queue.shift();
    line.post(run);
    this.#last = line;
    return true;
  }

  #bestFor(key: string): WorkerLine | undefined {
    let best: WorkerLine | undefined;
    let least = Infinity;
    for (const line of this.#lines) {
      // Waking a worker that has slept for long takes longer than anything else here, so the one that ran last comes first.
      const load = line.load(key) + (line === this.#last ? 0 : 0.5);
      if (load >= least) continue;
      best = line;
      least = load;
    }
    return best;
  }

  /** A run that is with a busy worker must not stay there when another one becomes idle. */
  #watchOver(): void {
    if (this.#watch || this.#lines.size < 2) return;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      if (this.#rebalance()) this.#watchOver();
    }, TAKE_BACK_AFTER_MS);
    this.#watch.unref();
  }

  /** @returns whether runs are left that their workers have not begun. */
  #rebalance(): boolean {
    const now = performance.now();
    const unbegun = [...this.#lines].flatMap((line) => line.unbegun());
    for (const run of unbegun) {
      const { line } = run;
      // A worker that only sleeps or tidies up will come to it: on a starved machine runs must not wander for ever.
      if (!line || now - run.postedAt < TAKE_BACK_AFTER_MS || (run.wasMoved && !line.isBusy)) continue;
      const idle = [...this.#lines].find((other) => other !== line && other.isIdle && other.load(run.task.key) < Infinity);
      if (!idle) break;
      if (line.takeBack(run)) {
        run.wasMoved = true;
        idle.post(run);
      }
    }
    return unbegun.length > 0;
  }
}

/** Whose run it is: each principal has a folder of results. */
function laneOf({ task }: PooledRun): string {
  return task.results ?? '';
}
