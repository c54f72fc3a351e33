import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchOverdue } from '../../src/execute/overdue-runs.ts';
import { RunHandle } from '../../src/execute/run-handle.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';

/** Twice what a run may compute and wait, and a minute. */
const SPAN_MS = 2 * (1_000 + 2_000) + 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(waitMs = 2_000): { handle: RunHandle; told: () => number; unwatch: () => void } {
  const limits = { ...DEFAULT_RUN_LIMITS, timeoutMs: 1_000, waitMs };
  const request = { executionId: 'exe_1', program: { key: 'k', script: '' }, input: 'null', state: '{}', limits };
  const handle = new RunHandle(request, () => Promise.resolve({ ok: true, value: '1' }));
  let told = 0;
  const unwatch = watchOverdue(handle, () => void told++);
  handle.sent();
  return { handle, told: () => told, unwatch };
}

test('a run that its executor never ends is ended, long after its own limits', async () => {
  const { handle, told } = watched();
  await vi.advanceTimersByTimeAsync(SPAN_MS - 10);
  expect(handle.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  expect(await handle.outcome).toMatchObject({ end: { status: 'failed', code: 'ERR_EXECUTE_LOST' } });
  expect(told()).toBe(1);
});

test('while it is queued no time passes for it', async () => {
  const { handle } = watched();
  handle.queued();
  await vi.advanceTimersByTimeAsync(10 * SPAN_MS);
  expect(handle.ended).toBe(false);
  handle.begun();
  await vi.advanceTimersByTimeAsync(SPAN_MS - 10);
  expect(handle.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(SPAN_MS);
  expect(handle.ended).toBe(true);
});

test('one that has ended is left alone, and holds no timer', async () => {
  const { handle, told, unwatch } = watched();
  handle.fail('ERR_EXECUTE_FUEL', 'over');
  unwatch();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(2 * SPAN_MS);
  expect(told()).toBe(0);
});

test('one that may wait for a month is not ended before', async () => {
  const waitMs = 30 * 86_400_000;
  const { handle, told } = watched(waitMs);
  await vi.advanceTimersByTimeAsync(2 * waitMs);
  expect([handle.ended, told()]).toEqual([false, 0]);
  await vi.advanceTimersByTimeAsync(SPAN_MS);
  expect([handle.ended, told()]).toEqual([true, 1]);
});
