import { now } from './clock.ts';
import * as p from './primordials.ts';
import { end } from './run.ts';
import { failureOf } from './thrown.ts';

const MAX_DELAY = 2_147_483_647;
/** A hundred years: longer than any run may wait, and there is still a date for it. */
const MAX_SLEEP = 3_153_600_000_000;
/** Timers at once. Against: tables of timers that the engine cannot grow, which it takes for a fault of its own. */
const MAX_TIMERS = 100_000;

interface Timer {
  id: number;
  due: number;
  /** Place among timers of the same due time; an interval gets a new one at each turn. */
  order: number;
  /** Milliseconds between calls of an interval, -1 for a single call. */
  every: number;
  callback: (...args: unknown[]) => unknown;
  args: ArrayLike<unknown>;
  live: boolean;
}

/** Binary heap by due time, then by creation. Cancelled timers stay until they surface. */
const heap = p.newList<Timer>();
const live = new p.NativeMap<number, Timer>();
let lastId = 0;

/**
 * Calls `callback` in `delay` virtual milliseconds, in one at least, as Node does: a timer of 0 comes after an older one of 1.
 * @returns its id
 */
export function addTimer(callback: Timer['callback'], delay: unknown, args: ArrayLike<unknown>, repeats: boolean): number {
  return add(callback, delayOf(delay), args, repeats);
}

/** Calls `callback` in `ms` virtual milliseconds, also where those are more than a timer takes: to wait for less would be to do something too early. */
export function addSleep(callback: Timer['callback'], ms: unknown): void {
  const wait = numberOf(ms);
  add(callback, wait > MAX_SLEEP ? MAX_SLEEP : wait >= 1 ? p.trunc(wait) : 1, [], false);
}

/** Calls `callback` as soon as all that is under way has been done. @returns its id */
export function addImmediate(callback: Timer['callback'], args: ArrayLike<unknown>): number {
  return add(callback, 0, args, false);
}

function add(callback: Timer['callback'], wait: number, args: ArrayLike<unknown>, repeats: boolean): number {
  if ((p.mapSize(live) as number) >= MAX_TIMERS) throw new p.NativeRangeError(`more than ${MAX_TIMERS} timers are set`);
  const timer: Timer = { id: ++lastId, due: now() + wait, order: 0, every: repeats ? wait : -1, callback, args, live: true };
  p.mapSet(live, timer.id, timer);
  insert(timer);
  return timer.id;
}

function delayOf(delay: unknown): number {
  const wait = numberOf(delay);
  return wait >= 1 && wait <= MAX_DELAY ? p.trunc(wait) : 1;
}

function numberOf(delay: unknown): number {
  return typeof delay === 'number' ? delay : p.NativeNumber(delay ?? 0);
}

export function cancelTimer(id: unknown): void {
  const timer = p.mapGet(live, id) as Timer | undefined;
  if (timer === undefined) return;
  timer.live = false;
  p.mapDelete(live, id);
  dropCancelled();
}

/** When the earliest timer is due, in milliseconds since 1970; null without timers. */
export function nextTimer(): number | null {
  return heap.length === 0 ? null : heap[0].due;
}

/** Runs the earliest timer if it is due. What its callback throws ends the run. */
export function runDueTimer(): void {
  const timer = heap[0];
  if (timer === undefined || timer.due > now()) return;
  removeFirst();
  if (timer.every === -1) p.mapDelete(live, timer.id);
  else {
    timer.due = now() + timer.every;
    insert(timer);
  }
  dropCancelled();
  try {
    p.apply(timer.callback, undefined, timer.args);
  } catch (thrown) {
    end(failureOf(thrown));
  }
}

function dropCancelled(): void {
  while (heap.length > 0 && !heap[0].live) removeFirst();
}

let lastOrder = 0;

function before(a: Timer, b: Timer): boolean {
  if (a.due !== b.due) return a.due < b.due;
  return a.order < b.order;
}

function insert(timer: Timer): void {
  timer.order = ++lastOrder;
  let at = heap.length;
  heap[at] = timer;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!before(timer, heap[above])) break;
    heap[at] = heap[above];
    heap[above] = timer;
    at = above;
  }
}

function removeFirst(): void {
  const last = heap[heap.length - 1];
  heap.length--;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && before(heap[below + 1], heap[below])) below++;
    if (!before(heap[below], last)) break;
    heap[at] = heap[below];
    at = below;
  }
  heap[at] = last;
}

export function forgetTimers(): void {
  heap.length = 0;
  p.mapClear(live);
  lastId = 0;
  lastOrder = 0;
}
