import { expect, test } from 'vitest';
import { createGetState } from '../../host-functions/get-state.ts';

const refuse = (bytes: number): never => {
  throw new Error(`${bytes} bytes`);
};

test('the state is given as it is, and as an empty object when there is none', () => {
  expect(createGetState('{"a":1}', 100, refuse)()).toBe('{"a":1}');
  expect(createGetState('', 100, refuse)()).toBe('{}');
});

test('a state just at the limit is given, and one just over it is refused with its size when it is asked for', () => {
  expect(createGetState('{"a":"é"}', 10, refuse)()).toBe('{"a":"é"}');
  const over = createGetState('{"a":"é"}', 9, refuse);
  expect(over).toThrow('10 bytes');
});
