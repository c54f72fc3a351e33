import { expect, test } from 'vitest';
import { ALWAYS, answer, asleep, codeOf, later, outcomeOf, pass, resultOf, RULES, runsInWorkers, WAIT } from '../support/sleeping-run.ts';
import { START, type TaskOptions, type ThreadRun } from '../support/thread-worker.ts';

const { begin } = runsInWorkers();

/** Answers every call with its own number, waking the run whenever it has been put away. */
async function toEnd(body: string, options: TaskOptions): Promise<ThreadRun> {
  let run = await begin(body, options);
  for (let i = 1; !run.left?.outcome; i++) {
    if (run.left) run = await begin(body, { ...options, from: later(run) }, i % 2);
    const [open] = run.awaits.splice(0, 1).concat(run.calls.splice(0, 1).map(({ number }) => number));
    if (open !== undefined) await answer(run, [open, open]);
    else if (!run.left) await pass(run, 1);
  }
  return run;
}

test('an image may be as long as it may be; with one byte more the run says so once and stays', async () => {
  const longest = asleep(await begin(WAIT, { hibernation: ALWAYS })).image.length;
  expect(asleep(await begin(WAIT, { hibernation: { afterMs: 0, maxImageBytes: longest } })).image.length).toBe(longest);
  const run = await begin(`await Promise.race([ampoule.callTool("s", "t"), ampoule.sleep(9000)]); ${WAIT}`, {
    hibernation: { afterMs: 2_000, maxImageBytes: 1_000 },
  });
  await pass(run, 2_000);
  run.port.receive({ type: 'hibernate' });
  await pass(run, 3_000);
  expect([run.left, run.waits]).toEqual([undefined, [START + 9_000]]);
  await answer(run, [1, 1]);
  // The next wait is another one.
  await pass(run, 2_000);
  expect(run.waits).toEqual([START + 9_000, START + 9_000]);
  await answer(run, [2, 'y']);
  expect(resultOf(run)).toEqual(['y', START + 7_000]);
  const short = await begin(WAIT, { hibernation: { afterMs: 0, maxImageBytes: longest - 1 } });
  expect([short.left, short.waits]).toEqual([undefined, [null]]);
});

test('time that a run was away counts as waited: within its limit it goes on, past it it ends', async () => {
  const limits = { waitMs: 10_000 };
  const run = await begin(WAIT, { hibernation: RULES, limits });
  await pass(run, 2_000);
  const inTime = await begin(WAIT, { limits, from: later(run, 7_999) });
  await pass(inTime, 1);
  // What it was woken for may take a moment to come.
  await pass(inTime, 100);
  await answer(inTime, [1, 1]);
  expect(resultOf(inTime)).toEqual([1, START + 10_100]);
  const silent = await begin(WAIT, { limits, from: later(run, 7_999) });
  await pass(silent, 1_000);
  expect(codeOf(silent)).toBe('ERR_EXECUTE_WAITING_TIME');
  expect(codeOf(await begin(WAIT, { limits, from: later(run, 9_000) }))).toBe('ERR_EXECUTE_WAITING_TIME');
});

test('a timer that nobody was there to run costs the run no more than the time until it was due', async () => {
  const body = 'await ampoule.sleep(5000); return Date.now()';
  const limits = { waitMs: 6_000 };
  const run = await begin(body, { hibernation: RULES, limits });
  const woken = await begin(body, { limits, from: later(run, 3_600_000) });
  expect(resultOf(woken)).toBe(START + 3_600_000);
  expect(outcomeOf(woken).usage.waitingMs).toBe(5_000);
});

test('memory that a run has grown is there when it goes on elsewhere', async () => {
  const body =
    'const a = new Uint8Array(2e7); for (let i = 0; i < a.length; i += 997) a[i] = i; const t = "ab".repeat(1e6); await ampoule.callTool("s", "t"); let sum = t.length; for (let i = 0; i < a.length; i += 997) sum += a[i]; return sum';
  const plain = await begin(body);
  await answer(plain, [1, 1]);
  const run = await begin(body, { hibernation: ALWAYS });
  const woken = await begin(body, { from: later(run) }, 1);
  await answer(woken, [1, 1]);
  expect(outcomeOf(woken)).toEqual(outcomeOf(plain));
  // Nothing of it is left for another one.
  expect(
    resultOf(await begin('let n = 0; const a = new Uint8Array(3e7); for (let i = 0; i < a.length; i += 499) n += a[i]; return n', {}, 1)),
  ).toBe(0);
});

test('fuel, memory, tool calls and logs end a run where they would have, however often it was put away', async () => {
  const bodies: readonly [string, TaskOptions['limits'][]][] = [
    ['for (let i = 0; i < 3; i++) { await ampoule.callTool("s", "t"); for (let k = 0; k < 3e4; k++); } return 1', []],
    [
      'const a = []; for (let i = 0; i < 6; i++) { a.push(new Uint8Array(8e6).fill(i)); await ampoule.callTool("s", "t"); } return a.length',
      [{ memoryMb: 32 }, { memoryMb: 128 }],
    ],
    ['for (let i = 0; i < 3; i++) await ampoule.callTool("s", "t"); return 1', [{ maxToolCalls: 2 }, { maxToolCalls: 3 }]],
    [
      'for (let i = 0; i < 4; i++) { console.log("x".repeat(100) + i); await ampoule.callTool("s", "t"); } return 1',
      [{ maxLogBytes: 250 }, { maxLogBytes: 468 }, { maxLogBytes: 467 }],
    ],
    [
      'for (let i = 0; i < 4; i++) { for (let k = 0; k < 9; k++) console.log("x".repeat(9000) + i); await ampoule.callTool("s", "t"); }',
      [{}],
    ],
  ];
  const ends = new Set<string>();
  for (const [body, limits] of bodies) {
    const { fuel } = outcomeOf(await toEnd(body, {})).usage;
    for (const limit of limits.length > 0 ? limits : [{ fuel }, { fuel: fuel - 1 }, { fuel: Math.floor(fuel / 2) }]) {
      const never = await toEnd(body, { limits: limit ?? {} });
      const always = await toEnd(body, { limits: limit ?? {}, hibernation: ALWAYS });
      expect(outcomeOf(always)).toEqual(outcomeOf(never));
      ends.add(codeOf(never));
    }
  }
  expect([...ends].toSorted()).toEqual(['ERR_EXECUTE_FUEL', 'ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_TOOL_CALLS', 'completed']);
});
