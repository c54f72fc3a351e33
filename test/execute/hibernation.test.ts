import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'blake3';
import { afterAll, expect, test, vi } from 'vitest';
import { MeterControl } from '../../src/execute/worker/meter-control.ts';
import { ALWAYS, answer, asleep, codeOf, later, outcomeOf, pass, resultOf, RULES, runsInWorkers, WAIT } from '../support/sleeping-run.ts';
import { START } from '../support/thread-worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'ampoule-hibernation-'));
writeFileSync(join(folder, 'a.txt'), 'the file');

const { start, begin } = runsInWorkers({ docs: folder });
afterAll(() => rmSync(folder, { recursive: true }));

test('a run that waits is put away after its time, and not before', async () => {
  const run = await begin(WAIT, { hibernation: RULES });
  await pass(run, 1_999);
  expect(run.left).toBeUndefined();
  await pass(run, 1);
  expect(asleep(run)).toMatchObject({ pending: [1], lastCall: 1, nextTimer: null, now: START + 2_000 });
  expect(asleep(run).usage).toMatchObject({ toolCalls: 1, waitingMs: 2_000 });
});

test('the time that it takes to put a run away has passed for the run', async () => {
  const run = await begin(WAIT, { hibernation: RULES });
  vi.spyOn(MeterControl.prototype, 'snapshot').mockImplementationOnce(function (this: MeterControl) {
    vi.advanceTimersByTime(40);
    return { granted: 0, slice: 0, pages: this.pages, hostBytes: 0, activeMs: 0, refusedGrowth: false };
  });
  await pass(run, 2_000);
  expect(asleep(run).now).toBe(START + 2_040);
});

test('each wait has that time anew', async () => {
  const run = await begin('await ampoule.callTool("s", "t"); await ampoule.callTool("s", "t")', { hibernation: RULES });
  await pass(run, 1_500);
  await answer(run, [1, 1]);
  await pass(run, 1_500);
  expect(run.left).toBeUndefined();
});

test('a run that waits for nothing but a timer is put away at once when that is further off, and stays when it is not', async () => {
  expect(asleep(await begin('await ampoule.sleep(2001)', { hibernation: RULES }))).toMatchObject({ pending: [], nextTimer: START + 2_001 });
  const near = await begin('await ampoule.sleep(2000); return 1', { hibernation: RULES });
  await pass(near, 2_000);
  expect(resultOf(near)).toBe(1);
  const both = await begin('const c = ampoule.callTool("s", "t"); await ampoule.sleep(5000); await c', { hibernation: RULES });
  expect(both.left).toBeUndefined();
});

test('a run that is asked to is put away while it waits, and no other', async () => {
  const run = await begin(WAIT, { hibernation: RULES });
  run.port.receive({ type: 'hibernate' });
  await run.settled();
  expect(asleep(run).pending).toEqual([1]);
  const steady = await begin(WAIT);
  steady.port.receive({ type: 'hibernate' });
  await pass(steady, 60_000);
  expect(steady.left).toBeUndefined();
});

test('a run whose answer has come is not put away', async () => {
  const run = start(WAIT, { hibernation: ALWAYS });
  run.port.receive({ type: 'hibernate' });
  run.answer(1, '{"ok":7}');
  await run.settled();
  expect(resultOf(run)).toEqual([7, START]);
});

test('a run that has gone on hears what it was woken for before it is put away again', async () => {
  const run = await begin(WAIT, { hibernation: ALWAYS });
  const woken = await begin(WAIT, { hibernation: ALWAYS, from: later(run, 50) }, 1);
  woken.port.receive({ type: 'hibernate' });
  await pass(woken, 999);
  expect([woken.left, woken.awaits]).toEqual([undefined, [1]]);
  const twin = await begin(WAIT, { hibernation: ALWAYS, from: later(run, 50) });
  await answer(twin, [1, 'x']);
  expect(resultOf(twin)).toEqual(['x', START + 50]);
  await pass(woken, 1);
  expect(asleep(woken)).toMatchObject({ pending: [1], now: START + 1_050 });
});

test('calls that wait for their turn are carried along, and go out once', async () => {
  const body = 'return Promise.all([1, 2, 3, 4, 5].map((i) => ampoule.callTool("s", "t", { i, text: "ü".repeat(i) })))';
  const options = { hibernation: ALWAYS, limits: { maxConcurrentToolCalls: 2 } };
  const run = await begin(body, options);
  expect([run.calls.map(({ number }) => number), asleep(run).pending, asleep(run).lastCall]).toEqual([[1, 2], [1, 2], 2]);
  const second = await begin(body, { ...options, from: later(run) }, 1);
  expect([second.calls, second.awaits]).toEqual([[], [1, 2]]);
  await answer(second, [2, 'b']);
  expect(second.calls).toEqual([{ number: 3, server: 's', tool: 't', arguments: '{"i":3,"text":"üüü"}' }]);
  expect([asleep(second).pending, asleep(second).lastCall]).toEqual([[1, 3], 3]);
  const third = await begin(body, { limits: options.limits, from: later(second) });
  await answer(third, [1, 'a'], [3, 'c']);
  await answer(third, [4, 'd'], [5, 'e']);
  expect(resultOf(third)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(third.calls.map(({ arguments: text }) => text)).toEqual(['{"i":4,"text":"üüüü"}', '{"i":5,"text":"üüüüü"}']);
});

test('a second answer to a call that was answered before has no effect', async () => {
  const body = 'const a = await ampoule.callTool("s", "t"); const b = await ampoule.callTool("s", "t"); return [a, b]';
  const run = await begin(body, { hibernation: RULES });
  await answer(run, [1, 'a']);
  await pass(run, 2_000);
  const woken = await begin(body, { from: later(run) }, 1);
  await answer(woken, [1, 'again'], [2, 'b']);
  expect(resultOf(woken)).toEqual(['a', 'b']);
});

test('timers and intervals that came due while a run was away run when it goes on', async () => {
  const body =
    'const out = []; const i = setInterval(() => out.push(Date.now()), 10); await ampoule.sleep(35); clearInterval(i); return [out.length, Date.now()]';
  const run = await begin(body, { hibernation: ALWAYS });
  expect(asleep(run).nextTimer).toBe(START + 10);
  const woken = await begin(body, { from: later(run, 5_000) });
  expect(resultOf(woken)).toEqual([expect.any(Number), START + 5_000]);
});

test('the clock of a run never goes back, and calls were on their way while it was away', async () => {
  const run = await begin(WAIT, { hibernation: ALWAYS });
  const early = await begin(WAIT, { from: { ...later(run), now: START - 86_400_000 } });
  await answer(early, [1, 1]);
  expect(resultOf(early)).toEqual([1, START]);
  const late = await begin(WAIT, { from: later(run, 7_000.9) });
  await answer(late, [1, 1]);
  expect(resultOf(late)).toEqual([1, START + 7_000]);
  expect(outcomeOf(late)).toMatchObject({ calls: [{ server: 's', tool: 't', ok: true, ms: 7_000 }], usage: { waitingMs: 7_000 } });
});

test('session state is there when a run goes on', async () => {
  const body = 'await ampoule.callTool("s", "t"); const s = ampoule.getState(); s.n++; return s.n';
  const state = '{"n":4}';
  const run = await begin(body, { hibernation: ALWAYS, state });
  const woken = await begin(body, { from: later(run), state });
  await answer(woken, [1, 1]);
  expect(outcomeOf(woken).end).toEqual({ status: 'completed', result: '5', state: '{"n":5}' });
});

/** The same image with a checksum that is right, of a memory that is a page longer than its meter knows. */
function withMorePages(image: Uint8Array): Uint8Array {
  const [pagesAt, checksumBytes] = [76, 32];
  const file = Buffer.from(image);
  file.writeUInt32LE(file.readUInt32LE(pagesAt) + 1, pagesAt);
  Buffer.from(hash(file.subarray(0, -checksumBytes))).copy(file, file.length - checksumBytes);
  return file;
}

test('an image of another program, another engine, or of other calls than the gateway knows of is refused, and the next run works', async () => {
  const run = await begin(WAIT, { hibernation: ALWAYS });
  const from = later(run);
  const flipped = Uint8Array.from(from.image);
  flipped[flipped.length >> 1] = ~(flipped[flipped.length >> 1] ?? 0);
  const refused = [
    await begin('return 2', { from }),
    await begin(WAIT, { from, key: 'ef'.repeat(32) }),
    await begin(WAIT, { from: { ...from, pending: [] } }),
    await begin(WAIT, { from: { ...from, pending: [1, 2] } }),
    await begin(WAIT, { from: { ...from, lastCall: 2 } }),
    await begin(WAIT, { from: { ...from, image: flipped } }),
    await begin(WAIT, { from: { ...from, image: withMorePages(from.image) } }),
    await begin(WAIT, { from: { ...from, image: new Uint8Array() } }),
    await begin(WAIT, { from, limits: { memoryMb: 1 } }),
  ];
  for (const { thrown, left } of refused) {
    expect(left).toBeUndefined();
    expect(thrown).toMatchObject({ code: 'ERR_COMPONENT_DAMAGED' });
  }
  const woken = await begin(WAIT, { from });
  await answer(woken, [1, 3]);
  expect(resultOf(woken)).toEqual([3, START]);
});

test('a run that has gone on can be cancelled', async () => {
  const run = await begin(WAIT, { hibernation: ALWAYS });
  const woken = await begin(WAIT, { from: later(run) });
  woken.port.receive({ type: 'cancel' });
  await woken.settled();
  expect(codeOf(woken)).toBe('ERR_EXECUTE_CANCELLED');
});

test('what a run is given is told: steps in order, and files that it has read', async () => {
  const body =
    'const a = await ampoule.readFile("docs/a.txt"); try { await ampoule.readFile("docs/b.txt") } catch {} await ampoule.callTool("s", "t"); await ampoule.sleep(50); await ampoule.readFile("docs/a.txt"); return a';
  const run = await begin(body);
  await pass(run, 10);
  await answer(run, [1, 1]);
  await pass(run, 50);
  expect(resultOf(run)).toBe('the file');
  expect(run.steps).toEqual([[START + 10, 1], [START + 60]]);
  expect(run.files).toEqual([
    { path: 'docs/a.txt', bytes: 8, hash: hash('the file').toString('hex') },
    { path: 'docs/b.txt', bytes: 0, hash: '' },
  ]);
});
