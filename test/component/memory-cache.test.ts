import { expect, test } from 'vitest';
import { MemoryCache, deltaBytes } from '../../src/component/memory-cache.ts';

function cacheOf(maxBytes: number): MemoryCache<string> {
  return new MemoryCache(maxBytes, (value) => value.length);
}

test('gives back what was put in, and nothing for another key', () => {
  const cache = cacheOf(10);
  cache.set('a', '1234');
  expect([cache.get('a'), cache.get('b')]).toEqual(['1234', undefined]);
});

test('is full at exactly its bound, and past it lets go of what was not used for longest', () => {
  const cache = cacheOf(10);
  cache.set('a', '12345');
  cache.set('b', '12345');
  expect(cache.bytes).toBe(10);
  cache.get('a');
  cache.set('c', '1');
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['12345', undefined, '1']);
  expect(cache.bytes).toBe(6);
});

test('lets go of as many as needed', () => {
  const cache = cacheOf(10);
  for (const key of ['a', 'b', 'c']) cache.set(key, '123');
  cache.set('d', '1234567');
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual([undefined, undefined, '123', '1234567']);
});

test('does not keep a value larger than the bound, nor the old one under its key', () => {
  const cache = cacheOf(3);
  cache.set('a', '123');
  cache.set('a', '1234');
  expect([cache.get('a'), cache.bytes]).toEqual([undefined, 0]);
});

test('counts a value that is put in twice once', () => {
  const cache = cacheOf(10);
  cache.set('a', '12345');
  cache.set('a', '123');
  expect(cache.bytes).toBe(3);
  cache.delete('a');
  cache.delete('a');
  expect(cache.bytes).toBe(0);
});

test('keys that are names of object members are ordinary keys', () => {
  const cache = cacheOf(10);
  expect(cache.get('__proto__')).toBeUndefined();
  cache.set('constructor', 'x');
  expect(cache.get('constructor')).toBe('x');
});

test("a delta's size is at least its bytes", () => {
  expect(deltaBytes({ pages: 1, blocks: [{ offset: 0, bytes: new Uint8Array(1000) }] })).toBeGreaterThanOrEqual(1000);
});
