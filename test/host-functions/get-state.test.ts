import { expect, test } from 'vitest';
import { createGetState } from '../../host-functions/get-state.ts';

test('the state is given as it is, and as an empty object when there is none', () => {
  expect(createGetState('{"a":1}', 100)()).toBe('{"a":1}');
  expect(createGetState('', 100)()).toBe('{}');
});

test('a state over the limit is not given, and the size is told', () => {
  const told: number[] = [];
  expect(createGetState('{"a":"é"}', 9, (bytes) => void told.push(bytes))()).toBe('{}');
  expect(createGetState('{"a":"é"}', 10, (bytes) => void told.push(bytes))()).toBe('{"a":"é"}');
  expect(told).toEqual([10]);
});
