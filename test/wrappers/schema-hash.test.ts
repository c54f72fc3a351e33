import { expect, test } from 'vitest';

import { canonicalJson, schemaHash, textHash } from '../../src/wrappers/schema-hash.ts';

test('hashes are Blake3, as its published test vector says', () => {
  expect(textHash('')).toBe('af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
});

test('canonical JSON sorts keys at every depth and nothing else', () => {
  const value = { b: [3, { z: null, a: 'é"' }], a: true, ä: undefined, 'a"': 1.5 };
  expect(canonicalJson(value)).toBe('{"a":true,"a\\"":1.5,"b":[3,{"a":"é\\"","z":null}]}');
  expect(canonicalJson(value, false)).toBe(JSON.stringify(value));
  expect(canonicalJson([])).toBe('[]');
  expect(canonicalJson(undefined)).toBe('null');
});

test('the order of keys does not change a hash, the order of items does', () => {
  expect(schemaHash({ a: 1, b: 2 })).toBe(schemaHash({ b: 2, a: 1 }));
  expect(schemaHash([1, 2])).not.toBe(schemaHash([2, 1]));
});

test('depth and length do not overflow the stack', () => {
  expect(schemaHash(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)))).toHaveLength(64);
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(canonicalJson(JSON.parse(deep), false) === deep).toBe(true);
  expect(schemaHash(Array.from({ length: 500_000 }, (_, at) => at))).toHaveLength(64);
});
