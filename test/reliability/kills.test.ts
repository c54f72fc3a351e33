import { expect, test } from 'vitest';
import { faultsOf, type Remains } from '../../reliability/kills/judge.ts';
import { anyProgram, type KillProgram } from '../../reliability/kills/programs.ts';
import { Submitted } from '../../reliability/kills/submitted.ts';
import { randomFrom } from '../../reliability/random.ts';

const program = (key: string, more: Partial<KillProgram> = {}): KillProgram => ({
  key,
  code: '',
  input: { key },
  effects: [`${key}.0`],
  counts: false,
  isEndless: false,
  isDry: false,
  judge: () => undefined,
  ...more,
});

function faults(set: (submitted: Submitted) => void, remains: Partial<Remains> = {}, of = program('k1')): string[] {
  const submitted = new Submitted();
  submitted.add(of);
  set(submitted);
  const completed = { status: 'completed', executionId: 'exe_1', result: { key: 'k1', said: ['made'] } };
  const all = {
    ended: new Map([['exe_1', completed]]),
    keys: new Map([['exe_1', 'k1']]),
    effects: ['k1.0'],
    counted: new Map(),
    ...remains,
  };
  return faultsOf(submitted, all);
}

const nothing = (): void => undefined;
const failed = (code: string): Partial<Remains> => ({
  ended: new Map([['exe_1', { status: 'failed', executionId: 'exe_1', result: { code } }]]),
});

test('a run that completed, with its one effect, is right', () => {
  expect(faults(nothing)).toEqual([]);
});

test('what is lost is found: a run, an effect, a result', () => {
  expect(faults((of) => of.hear('k1', { status: 'waiting', executionId: 'exe_2', result: undefined }))).toHaveLength(1);
  expect(faults(nothing, { effects: [] })).toHaveLength(1);
  expect(faults((of) => of.hear('k1', { status: 'completed', executionId: 'exe_1', result: 5 }))).toHaveLength(1);
});

test('what is done twice is found, unless the operator said so', () => {
  expect(faults(nothing, { effects: ['k1.0', 'k1.0'] })).toHaveLength(1);
  expect(faults((of) => of.repeats.set('k1.0', 1), { effects: ['k1.0', 'k1.0'] })).toEqual([]);
  expect(faults((of) => of.refused.add('k1.0'))).toHaveLength(1);
  expect(faults(nothing, {}, program('k1', { isDry: true }))).toHaveLength(1);
});

test('an end is right only where something explains it', () => {
  expect(faults(nothing, failed('ERR_EXECUTE_CANCELLED'))).toHaveLength(1);
  expect(faults((of) => of.cancelAsked.add('exe_1'), failed('ERR_EXECUTE_CANCELLED'))).toEqual([]);
  expect(faults((of) => of.cancelHeard.add('exe_1'))).toHaveLength(1);
  expect(faults(nothing, failed('ERR_EXECUTION_DAMAGED'))).toHaveLength(1);
  expect(faults(nothing, failed('ERR_SESSION_CONFLICT'))).toHaveLength(1);
  expect(faults((of) => of.closed.add('exe_1'))).toHaveLength(1);
});

test('each run that completed has counted once', () => {
  const counting = program('k1', { counts: true });
  const counted = (...names: string[]): Partial<Remains> => ({ counted: new Map([['ses_1', names]]) });
  expect(faults(nothing, counted('k1'), counting)).toEqual([]);
  expect(faults(nothing, counted(), counting)).toHaveLength(1);
  expect(faults(nothing, counted('k1', 'k1'), counting)).toHaveLength(1);
  expect(faults(nothing, { ...counted('k1'), ...failed('ERR_SESSION_CONFLICT') }, counting)).toHaveLength(1);
});

test('no program takes a result for right that is none', () => {
  const random = randomFrom('any');
  const programs = Array.from({ length: 200 }, (_, n) => anyProgram(`k${n}`, random)).filter(({ isDry }) => !isDry);
  const wrong = { key: 'another', said: ['ERR_EXECUTE_LOST'] };
  expect(programs.filter((one) => one.judge(wrong) === undefined)).toEqual([]);
});
