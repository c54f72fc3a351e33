import { expect, test } from 'vitest';
import { MAX_CREDENTIAL, readCredential } from '../../src/access/credential.ts';
import { createFailureBound } from '../../src/access/failure-bound.ts';

test('the last failure within the bound is answered as it is, the next one is not, and a minute later all is well', () => {
  let now = 5_000;
  const bound = createFailureBound(3, () => now);
  expect([1, 2, 3].map(() => bound.failed('192.0.2.1'))).toEqual([0, 0, 0]);
  expect(bound.failed('192.0.2.1')).toBe(60);
  now += 59_001;
  expect(bound.failed('192.0.2.1')).toBe(1);
  now += 999;
  expect(bound.failed('192.0.2.1')).toBe(0);
});

test('a clock that was set back keeps no address out for longer', () => {
  let now = 86_400_000;
  const bound = createFailureBound(1, () => now);
  expect([1, 2].map(() => bound.failed('192.0.2.1'))).toEqual([0, 60]);
  now = 0;
  expect([1, 2].map(() => bound.failed('192.0.2.1'))).toEqual([0, 60]);
});

test('one address in two spellings is one, and an IPv6 address stands for its network', () => {
  const bound = createFailureBound(1, () => 0);
  expect(bound.failed('192.0.2.1')).toBe(0);
  expect(bound.failed('::ffff:192.0.2.1')).toBeGreaterThan(0);
  expect(bound.failed('192.0.2.2')).toBe(0);
  expect(bound.failed('2001:db8:1:2::1')).toBe(0);
  expect(bound.failed('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBeGreaterThan(0);
  expect(bound.failed('2001:db8:1:3::1')).toBe(0);
});

test('however many addresses fail, a bounded number is remembered, the newest', () => {
  const bound = createFailureBound(1, () => 0);
  for (let index = 0; index <= 10_000; index++) bound.failed(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  // The second was there still: the first, which comes again, would have pushed it out.
  expect(bound.failed('10.0.0.1')).toBeGreaterThan(0);
  expect(bound.failed('10.0.0.0')).toBe(0);
});

test('a header just under the bound is read, one just over it is not', () => {
  const read = (length: number): string =>
    readCredential({ rawHeaders: ['Authorization', `Bearer ${'a'.repeat(length - 'Bearer '.length)}`], url: '/mcp' }).kind;
  expect(read(MAX_CREDENTIAL)).toBe('bearer');
  expect(read(MAX_CREDENTIAL + 1)).toBe('wrong');
});

test('a header made to be slow is read at once', () => {
  const began = performance.now();
  for (const value of [`bearer${' '.repeat(8_000)}`, `Bearer ${'='.repeat(8_000)}!`, `Bearer ${'a'.repeat(8_000)} a`]) {
    expect(readCredential({ rawHeaders: ['authorization', value], url: `/mcp?${'x=1&'.repeat(2_000)}` }).kind).toBe('wrong');
  }
  expect(performance.now() - began).toBeLessThan(200);
});
