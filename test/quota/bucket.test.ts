import { expect, test } from 'vitest';
import { Bucket } from '../../src/quota/bucket.ts';

test('it comes back evenly, up to its size', () => {
  const bucket = new Bucket(60, 60_000, 0);
  bucket.take(60, 0);
  expect(bucket.level(0)).toBe(0);
  expect(bucket.level(1_000)).toBeCloseTo(1);
  expect(bucket.level(30_000)).toBeCloseTo(30);
  expect(bucket.level(120_000)).toBe(60);
});

test('what was given back is there again, and no more than fits', () => {
  const bucket = new Bucket(10, 1_000, 0);
  bucket.take(4, 0);
  bucket.take(-2, 0);
  expect(bucket.level(0)).toBe(8);
  bucket.take(-100, 0);
  expect(bucket.level(0)).toBe(10);
});

test('it can owe, and takes so much longer to be there again', () => {
  const bucket = new Bucket(10, 1_000, 0);
  bucket.take(25, 0);
  expect(bucket.waitFor(1, 0)).toBe(1_600);
  expect(bucket.isFull(2_499)).toBe(false);
  expect(bucket.isFull(2_500)).toBe(true);
});

test('at the time that it tells there is what was asked for, and not a millisecond before', () => {
  for (let size = 1; size < 2_000; size += 7) {
    const bucket = new Bucket(size, 60_000, 12_345.678);
    for (let n = 0; n < size; n++) bucket.take(1, 12_345.678);
    const wait = bucket.waitFor(1, 12_345.678);
    expect([size, bucket.has(1, 12_345.678 + wait)]).toEqual([size, true]);
    expect([size, bucket.has(1, 12_345.678 + wait - 2)]).toEqual([size, false]);
  }
});
