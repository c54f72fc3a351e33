import { expect, test } from 'vitest';
import type { Row } from '../../bench/result.ts';
import { judge, readTargets } from '../../bench/targets.ts';

const row: Row = { id: 'http-cold', name: 'cold', unit: 'ms', value: 8, p95: 20, control: { name: 'control', value: 40 } };
const target = { atMost: 10, p95AtMost: 25, ratioAtMost: 0.3, reason: 'because' };

test('a row within its absolute figures passes', () => {
  expect(judge(row, target)).toMatchObject({ verdict: 'pass', ratio: 0.2, reason: 'because', target: '<= 10 ms, p95 <= 25 or <= 0.3x' });
});

test('a row over its figures that keeps its ratio to a control as slow passes by ratio', () => {
  expect(judge({ ...row, value: 11 }, target).verdict).toBe('ratio');
  expect(judge({ ...row, p95: 26 }, target).verdict).toBe('ratio');
});

test('a row over its figures and over its ratio is a miss', () => {
  expect(judge({ ...row, value: 13 }, target).verdict).toBe('miss');
});

test('without a control a row has its absolute figures only', () => {
  const { control, ...bare } = row;
  expect(control).toBeDefined();
  expect(judge({ ...bare, value: 11 }, target).verdict).toBe('miss');
  expect(judge(bare, target).verdict).toBe('pass');
});

test('a ratio that is a promise of its own has to be kept as well', () => {
  const required = { atMost: 10, ratioAtMost: 0.1, ratioRequired: true, reason: 'because' };
  expect(judge(row, required)).toMatchObject({ verdict: 'miss', target: '<= 10 ms and <= 0.1x' });
  expect(judge({ ...row, value: 3 }, required).verdict).toBe('pass');
  expect(judge({ ...row, value: 11, control: { name: 'control', value: 1_000 } }, required).verdict).toBe('miss');
});

test('rates have to be at least what was promised', () => {
  const rate: Row = { id: 'http-rate', name: 'rate', unit: 'runs/s', value: 1_300 };
  expect(judge(rate, { atLeast: 1_200, reason: 'because' }).verdict).toBe('pass');
  expect(judge({ ...rate, value: 1_100 }, { atLeast: 1_200, reason: 'because' }).verdict).toBe('miss');
});

test('a row without a promise has no verdict', () => {
  expect(judge(row, undefined).verdict).toBe('none');
});

test('every promise in the file has a limit and a reason', () => {
  for (const [id, { atMost, atLeast, reason }] of readTargets()) {
    expect([id, typeof (atMost ?? atLeast)]).toEqual([id, 'number']);
    expect(`${id}: ${reason}`).toMatch(/: [A-Z].*\.$/);
  }
});
