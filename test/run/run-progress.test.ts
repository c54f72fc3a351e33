import { expect, test } from 'vitest';
import type { ToolAnswer } from '../../src/execute/run.ts';
import { tellProgress } from '../../src/run/run-progress.ts';
import type { ProgressEvent } from '../../src/server/sandbox-port.ts';

const LIMITS = { maxToolCalls: 4, timeoutMs: 1_000, waitMs: 1_000 };
const CALL = { executionId: 'e', number: 1, server: 's', tool: 't', arguments: '{}' };
const answer = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: '1' });

test('a run is told by its phase, then by its calls and its share of the limits, always rising and never whole', async () => {
  const events: ProgressEvent[] = [];
  const told = tellProgress((event) => events.push(event));
  const { signal } = new AbortController();
  told.checking();
  told.running(LIMITS, 'exe_1');
  const call = told.counting(answer);
  for (let i = 0; i < 4; i++) expect(await call(CALL, signal)).toEqual({ ok: true, value: '1' });
  told.finished();
  await call(CALL, signal);
  expect(events.map(({ message }) => message.replace(/, [\d.]+ s.*/, ''))).toEqual([
    'Checking',
    'Running exe_1',
    'Running: 1 tool call (25 % of 4)',
    'Running: 2 tool calls (50 % of 4)',
    'Running: 3 tool calls (75 % of 4)',
    'Running: 4 tool calls (100 % of 4)',
  ]);
  const steps = events.map(({ progress }) => progress);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(new Set(steps).size).toBe(steps.length);
  expect(Math.max(...steps)).toBeLessThan(100);
});

test('a run that only computes is told of too', async () => {
  const events: ProgressEvent[] = [];
  const told = tellProgress((event) => events.push(event));
  told.running({ ...LIMITS, maxToolCalls: 0 }, 'exe_1');
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  told.finished();
  expect(events.at(-1)?.message).toMatch(/^Running: 0 tool calls \(0 % of 0\), 1(?:\.\d)? s \([5-9]\d % of the time\)$/);
});

test('where nobody listens nothing is counted: the calls are the same function', () => {
  expect(tellProgress(undefined).counting(answer)).toBe(answer);
});
