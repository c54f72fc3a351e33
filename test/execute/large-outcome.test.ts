import { afterAll, beforeAll, expect, test } from 'vitest';
import { LargeBudget } from '../../src/execute/large-budget.ts';
import type { RunOutcome } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, runBody } from '../support/executor.ts';

const MiB = 1024 * 1024;
let executor: SupervisedExecutor;
beforeAll(async () => void (executor = await openTestExecutor()));
afterAll(() => executor.close());

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

test.each([1_000, 65_000, 65_600, 2_000_000])('a result of %i characters arrives whole, as text or as bytes', async (length) => {
  const { end, large } = await runBody(executor, `return "é".repeat(${length / 2}) + "😀"`, { limits: { maxResultBytes: 8 * MiB } });
  const text = end.status === 'completed' ? end.result : '';
  expect(text === '').toBe(large?.result !== undefined);
  expect(JSON.parse(text || textOf(large?.result))).toBe(`${'é'.repeat(length / 2)}😀`);
});

test('a long log arrives whole, one line of JSON for each entry, beside a small result and beside a large one', async () => {
  const log = 'for (let i = 0; i < 3000; i++) console.log("line " + i + "\\n\\"quoted\\"");';
  for (const result of ['1', '"x".repeat(100000)']) {
    const { end, logs, large } = await runBody(executor, `${log} return ${result}`, {
      limits: { maxLogBytes: 4 * MiB, maxResultBytes: MiB },
    });
    const lines = textOf(large?.logs).trimEnd().split('\n');
    expect(logs).toEqual([]);
    expect(lines).toHaveLength(3_000);
    expect(JSON.parse(lines[2_999] ?? '')).toEqual({ level: 'info', message: 'line 2999\n"quoted"' });
    expect(end.status === 'completed' && (end.result || textOf(large?.result)).length).toBe(result === '1' ? 1 : 100_002);
  }
});

test('the state arrives beside a large result', async () => {
  const { end, large } = await runBody(executor, 'ampoule.setState("a", 1); return "x".repeat(200000)', {
    limits: { maxResultBytes: MiB },
  });
  expect(end).toEqual({ status: 'completed', result: '', state: '{"a":1}' });
  expect(large?.result).toHaveLength(200_002);
});

test('a log that is full drops what is over, and counts it', async () => {
  const body = 'for (let i = 0; i < 3000; i++) console.log("y".repeat(100)); return 1';
  const { large, droppedLogBytes } = await runBody(executor, body, { limits: { maxLogBytes: 200_000 } });
  const lines = textOf(large?.logs).trimEnd().split('\n').length;
  expect(lines * 116).toBeLessThanOrEqual(200_116);
  expect(droppedLogBytes).toBeGreaterThanOrEqual((3_000 - lines) * 100);
});

const OUTCOME: RunOutcome = {
  end: { status: 'completed', result: '', state: '' },
  logs: [],
  droppedLogBytes: 0,
  calls: [],
  usage: { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 },
  cache: 'hit',
  phases: { queue: 0, component: 0, run: 0 },
};

test('large results that wait to be presented are bounded together; what is given back makes room, once', () => {
  const budget = new LargeBudget(100);
  const first = budget.take(OUTCOME, { result: new Uint8Array(60) });
  expect(codeOf(first)).toBe('completed');
  expect(codeOf(budget.take(OUTCOME, { result: new Uint8Array(20), logs: new Uint8Array(21) }))).toBe('ERR_EXECUTE_RESULT_TOO_LARGE');
  expect(codeOf(budget.take(OUTCOME, { result: new Uint8Array(20), logs: new Uint8Array(20) }))).toBe('completed');
  first.large?.done?.();
  first.large?.done?.();
  expect(codeOf(budget.take(OUTCOME, { result: new Uint8Array(61) }))).toBe('ERR_EXECUTE_RESULT_TOO_LARGE');
  expect(codeOf(budget.take(OUTCOME, { result: new Uint8Array(60) }))).toBe('completed');
});
