import { expect, test } from 'vitest';
import type { RunStep } from '../../../src/execute/run.ts';
import { ScriptedSteps } from '../../../src/execute/worker/scripted-steps.ts';

const STEPS: readonly RunStep[] = [[10, 1, 2], [20], [20, 4]];
const running =
  (...calls: number[]) =>
  (call: number): boolean =>
    calls.includes(call);

test('steps come one after the other, and answers are for their own step', () => {
  const steps = new ScriptedSteps(STEPS, 5);
  expect([steps.lastAt, steps.current, steps.takes(1), steps.takes(2), steps.takes(4)]).toEqual([5, STEPS[0], true, true, false]);
  steps.advance();
  expect([steps.lastAt, steps.current, steps.takes(4)]).toEqual([10, STEPS[1], false]);
  steps.advance();
  expect([steps.current, steps.takes(4)]).toEqual([STEPS[2], true]);
  steps.advance();
  expect([steps.lastAt, steps.current, steps.takes(99)]).toEqual([20, undefined, true]);
});

test('without steps every answer may come', () => {
  expect(new ScriptedSteps([], 0).takes(1)).toBe(true);
});

test('a step that the program can be given is checked without a word', () => {
  const steps = new ScriptedSteps(STEPS, 10);
  expect(() => steps.check(null, running(1, 2, 3))).not.toThrow();
  steps.advance();
  expect(() => steps.check(20, running())).not.toThrow();
});

test.each([
  ['answers a call that was not begun', [[10, 3]], null, 'step 1 of 1 answers call 3'],
  ['answers a call twice', [[10, 1, 1]], null, 'step 1 of 1 answers call 1'],
  ['goes back in time', [[9, 1]], null, 'step 1 of 1 goes back in time'],
  ['runs a timer where there is none', [[10]], null, 'the program has set none'],
  ['runs a timer before it is due', [[10]], 11, 'due later'],
] as const)('a step that %s ends the run', (_what, steps, nextTimer, message) => {
  const scripted = new ScriptedSteps(steps, 10);
  expect(() => scripted.check(nextTimer, running(1, 2))).toThrow(
    expect.objectContaining({ code: 'ERR_EXECUTION_DIVERGED', message: expect.stringContaining(message) }),
  );
});
