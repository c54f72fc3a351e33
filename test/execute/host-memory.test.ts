import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnswerQueue } from '../../src/execute/answer-queue.ts';
import type { ExecutorChild } from '../../src/execute/executor-child.ts';
import type { RunHandle } from '../../src/execute/run-handle.ts';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody } from '../support/executor.ts';

/** What the host has to hold for runs, outside of their own memory: it is bounded, and counts as theirs. */
let executor: SupervisedExecutor;
let pid: number | undefined;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 2 });
  ({ pid } = executor);
});
afterAll(() => executor.close());

const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${executor.pid}/status`, 'utf8'))?.[1]) / 1024;
const never = (): Promise<ToolAnswer> => new Promise(() => undefined);
const calls = (count: number, bytes: number): string =>
  `const x = "y".repeat(${bytes}); for (let i = 0; i < ${count}; i++) ampoule.callTool("s", "t", { x }).catch(() => 0); await ampoule.sleep(1e6)`;

test('arguments of calls that wait for their turn count as the memory of their run', async () => {
  const limits = { memoryMb: 24, waitMs: 300 };
  expect(codeOf(await runBody(executor, calls(150, 100_000), { limits, onCall: never }))).toBe('ERR_EXECUTE_WAITING_TIME');
  const over = await runBody(executor, calls(400, 100_000), { limits, onCall: never });
  expect(over.end).toMatchObject({ code: 'ERR_EXECUTE_MEMORY', message: expect.stringContaining('arguments of tool calls wait') });
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
});

test('memory that the host holds for a run is no longer there for the run', async () => {
  const grow = '; let n = 0; try { for (const a = []; ; n++) a.push(new Uint8Array(1e6).fill(1)) } catch {} return n';
  const limits = { memoryMb: 32, fuel: 20_000_000_000 };
  const body = (count: number): string => `${calls(count, 50_000).replace('; await ampoule.sleep(1e6)', '')}${grow}`;
  const without = resultOf(await runBody(executor, body(0), { limits, onCall: never })) as number;
  const held = resultOf(await runBody(executor, body(200), { limits, onCall: never })) as number;
  expect(without - held).toBeGreaterThan(6);
});

test('a run has at most four megabytes of arguments on their way, and all its calls are made in the end', async () => {
  let onTheirWay = 0;
  let most = 0;
  const onCall = async (): Promise<ToolAnswer> => {
    most = Math.max(most, ++onTheirWay);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    onTheirWay--;
    return { ok: true, value: '1' };
  };
  const body =
    'const x = "y".repeat(9e5); return (await Promise.all(Array.from({ length: 12 }, () => ampoule.callTool("s", "t", { x })))).length';
  expect(resultOf(await runBody(executor, body, { onCall }))).toBe(12);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
});

test('large answers that many runs do not take are no burden for the executor or for others', async () => {
  const value = JSON.stringify('z'.repeat(2_000_000));
  const onCall = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value });
  const body = 'for (let i = 0; i < 24; i++) ampoule.callTool("s", "t").catch(() => 0); await ampoule.sleep(1); for (;;);';
  const busy = Array.from({ length: 10 }, () => runBody(executor, body, { limits: { timeoutMs: 150, fuel: 1e15 }, onCall }));
  const ended = Array.from({ length: 10 }, () => runBody(executor, body.replace('for (;;);', 'return 1'), { onCall }));
  expect((await Promise.all(busy)).map(codeOf)).toEqual(busy.map(() => 'ERR_EXECUTE_ACTIVE_TIME'));
  expect((await Promise.all(ended)).map(resultOf)).toEqual(ended.map(() => 1));
  const from = performance.now();
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(resident()).toBeLessThan(1_500);
  expect(executor.pid).toBe(pid);
});

test.each([70_000, 1_500_000])('an answer of %i bytes comes whole, whatever characters are in it', async (bytes) => {
  const value = JSON.stringify('é🍀x'.repeat(bytes / 7));
  const onCall = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value });
  const body = 'const a = await ampoule.callTool("s", "t"); return [a.length, a.slice(0, 4), a === "é🍀x".repeat(a.length / 4)]';
  expect(resultOf(await runBody(executor, body, { onCall }))).toEqual([Math.floor(bytes / 7) * 4, 'é🍀x', true]);
});

/** The executor's end of a connection that is read when a test says so. */
function slowChild(): { child: ExecutorChild; unread: (bytes: number) => void; read: () => void } {
  let unreadBytes = 0;
  const listeners: (() => void)[] = [];
  const child = {
    get unreadBytes() {
      return unreadBytes;
    },
    onceRead: (listener: () => void) => void listeners.push(listener),
  } as unknown as ExecutorChild;
  const read = (): void => {
    unreadBytes = 0;
    for (const listener of listeners.splice(0)) listener();
  };
  return { child, unread: (bytes) => (unreadBytes += bytes), read };
}

const MIB = 1024 * 1024;
const large = (mib: number): ToolAnswer => ({ ok: true, value: 'x'.repeat(mib * MIB) });
const handle = (ended = false): RunHandle => ({ ended }) as RunHandle;

test('large answers wait for an executor that reads slowly, in their order, and those to ended runs are dropped', () => {
  const { child, unread, read } = slowChild();
  const queue = new AnswerQueue();
  const sent: string[] = [];
  const send = (name: string, answer: ToolAnswer, to = handle()): void =>
    queue.send(child, to, answer, (said) => {
      sent.push(said.ok ? name : `${name} ${said.error.code}`);
      if (said.ok) unread(said.value.length);
    });
  for (const name of ['a', 'b', 'c', 'd']) send(name, large(16));
  const run = { ended: false };
  send('gone', large(16), run as RunHandle);
  send('small', { ok: true, value: '1' });
  send('failed', { ok: false, error: { code: 'ERR_UPSTREAM_CLOSED', message: 'm' } });
  expect(sent).toEqual(['a', 'b', 'small', 'failed ERR_UPSTREAM_CLOSED']);
  run.ended = true;
  read();
  expect(sent.slice(4)).toEqual(['c', 'd']);
  read();
  expect(sent).toHaveLength(6);
  send('e', large(16));
  expect(sent.at(-1)).toBe('e');
});

test('what would wait past half a gigabyte is an error in its place, and a new process begins with nothing', () => {
  const { child, unread } = slowChild();
  const queue = new AnswerQueue();
  const codes: string[] = [];
  const answer = large(60);
  const send = (): void => queue.send(child, handle(), answer, (said) => codes.push(said.ok ? 'sent' : said.error.code));
  unread(64 * MIB);
  for (let i = 0; i < 8; i++) send();
  expect(codes).toEqual([]);
  send();
  expect(codes).toEqual(['ERR_UPSTREAM_TOO_LARGE']);
  queue.clear();
  send();
  expect(codes).toHaveLength(1);
});
