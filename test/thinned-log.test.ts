import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Log } from '../src/log.ts';
import { thinnedLog } from '../src/thinned-log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FULL = new Error('database or disk is full');

function recorded(): { lines: [level: string, fields: unknown, message?: string][]; log: Log } {
  const lines: [string, unknown, string?][] = [];
  const into =
    (level: string) =>
    (fields: object | string, message?: string): void =>
      void lines.push([level, fields, ...(message === undefined ? [] : ([message] as const))] as [string, unknown, string?]);
  const upstream = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  return { lines, log: { debug: into('debug'), info: into('info'), warn: into('warn'), error: into('error'), upstream } };
}

test('the same warning is written at once, and then once in ten seconds with the number of those that came', () => {
  const { lines, log } = recorded();
  using thinned = thinnedLog(log);
  for (let n = 0; n < 1_000; n++) thinned.warn({ executionId: `exe_${n}`, err: FULL }, 'It cannot be kept');
  expect(lines).toEqual([['warn', { executionId: 'exe_0', err: FULL }, 'It cannot be kept']]);
  vi.advanceTimersByTime(9_999);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(lines.slice(1)).toEqual([['warn', { executionId: 'exe_999', err: FULL, times: 999 }, 'It cannot be kept']]);
  thinned.warn({ executionId: 'late', err: FULL }, 'It cannot be kept');
  expect(lines).toHaveLength(2);
  vi.advanceTimersByTime(10_000);
  expect(lines.slice(2)).toEqual([['warn', { executionId: 'late', err: FULL }, 'It cannot be kept']]);
  vi.advanceTimersByTime(10_000);
  expect(vi.getTimerCount()).toBe(0);
  thinned.warn({ executionId: 'much later', err: FULL }, 'It cannot be kept');
  expect(lines).toHaveLength(4);
});

test('another message, another reason and what is worse are written at once', () => {
  const { lines, log } = recorded();
  using thinned = thinnedLog(log);
  thinned.warn({ err: FULL }, 'One');
  thinned.warn({ err: FULL }, 'Two');
  thinned.warn({ err: new Error('attempt to write a readonly database') }, 'One');
  thinned.warn({ code: 'ERR_EXECUTION_FULL' }, 'One');
  thinned.warn('One');
  for (let n = 0; n < 3; n++) thinned.error({ err: FULL }, 'Worse');
  expect(lines).toHaveLength(8);
});

test('the same failure of another file is told: somebody has to look at each', () => {
  const { lines, log } = recorded();
  using thinned = thinnedLog(log);
  for (const file of ['a.db', 'b.db', 'c.db', 'a.db']) thinned.warn({ err: FULL, file }, 'It cannot be used');
  expect(lines).toHaveLength(3);
});

test('what was not written yet is when the server ends', () => {
  const { lines, log } = recorded();
  {
    using thinned = thinnedLog(log);
    for (let n = 0; n < 3; n++) thinned.warn('It fails');
  }
  expect(lines).toEqual([
    ['warn', {}, 'It fails'],
    ['warn', { times: 2 }, 'It fails'],
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

test('reasons that are all different fill neither the log nor memory', () => {
  const { lines, log } = recorded();
  using thinned = thinnedLog(log);
  for (let n = 0; n < 10_000; n++) thinned.warn({ reason: `reason ${n}` }, 'It fails');
  expect(lines).toHaveLength(101);
  vi.advanceTimersByTime(10_000);
  expect(lines).toHaveLength(102);
  expect(lines.at(-1)).toEqual(['warn', { reason: 'reason 9999', times: 9_899 }, 'It fails']);
});
