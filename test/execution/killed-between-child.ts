import { statSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { RunHistory } from '../../src/execute/run.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { answerTo, imageOf } from './killed-store-work.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, waitOf } from './stored-executions.ts';
import { watchDirectWrites } from './watched-direct-writes.ts';

/*
 * Kills itself at one point between what this thread writes and what the store's writes, and says before what was acknowledged. Arguments: the file, and
 * the point, which its executions are named after.
 */
const [, , file = '', point = ''] = process.argv;
const store = openExecutions({ file, group: 'test', limits: LIMITS });
const [a, b, c] = ['a', 'b', 'c'].map((name) => `${point}-${name}`) as [string, string, string];
/** More than the log may have before it is written back. */
const LARGE = 9_000_000;
/** So many calls are made when it was. */
const CALLS_BEHIND = 20;
let direct = 0;
watchDirectWrites((written = 0) => void (direct += written));

const POINTS: Record<string, () => Promise<void>> = {
  /** The thread has not heard of it. */
  async acknowledged() {
    await call(a, 1);
    die();
  },
  /** Of one turn: the thread has just been given an image, and this thread has written the call. */
  async beside() {
    await call(b, 1);
    void store.answered(b, sentCall(1), answerTo(1, false));
    void store.hibernated(b, waitOf({ lastCall: 1 }), imageOf(1));
    await call(a, 1);
    die();
  },
  /** The thread has something of the execution: what is told next is behind it, and what is told of another is not. */
  async behind() {
    await call(a, 1);
    void store.answered(a, sentCall(1), answerTo(1, true));
    store.hurry?.();
    await turn();
    void call(a, 2);
    await call(b, 1);
    die();
  },
  /** In the middle of a transaction of this thread. */
  async within() {
    await call(a, 1);
    void store.create(newExecution(c));
    void call(b, 1);
    store.history(b, dying());
    store.hurry?.();
    await store.call(c, sentCall(1));
  },
  /** One writes, then the other, then the one again. */
  async turns() {
    for (let number = 1; number <= 5; number++) {
      await call(a, number);
      await store.restarted(a);
      say(a, 'restarted');
    }
    await call(a, 6);
    die();
  },
  async ended() {
    await call(a, 1);
    const restarted = store.restarted(a);
    void store.answered(a, sentCall(1), answerTo(1, false));
    await store.ended(a, COMPLETED);
    // Told before it, so written before it.
    await restarted;
    for (const what of ['restarted', 'answered', 'ended']) say(a, what);
    await store.ended(b, COMPLETED);
    say(b, 'ended');
    die();
  },
  /** The thread writes its log back, and this one is the next to write into it. */
  async checkpoint() {
    await store.hibernated(b, waitOf({ lastCall: 0 }), new Uint8Array(LARGE).fill(1));
    say(b, 'hibernated');
    let behind = 0;
    for (let number = 1; behind < CALLS_BEHIND; number++) {
      await call(a, number);
      await sleep(1);
      if (statSync(file).size > LARGE) behind++;
    }
    die();
  },
};

for (const id of [a, b]) {
  await store.create(newExecution(id));
  await store.start(id, START);
}
direct = 0;
await POINTS[point]?.();

/** A step and the call that it led to, as a run tells them. */
async function call(id: string, number: number): Promise<void> {
  store.history(id, { steps: [[number]], files: [] });
  await store.call(id, sentCall(number));
  say(id, 'call');
}

/** A history at which the process dies when it is written. */
function dying(): RunHistory {
  const history = { steps: [], files: [] };
  return Object.defineProperty(history, 'toJSON', { value: die });
}

function die(): void {
  say(`${direct}`, 'direct');
  process.kill(process.pid, 'SIGKILL');
}

function say(id: string, what: string): void {
  writeSync(1, `${id} ${what}\n`);
}
