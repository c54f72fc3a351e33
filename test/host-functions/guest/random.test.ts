import { createCipheriv } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';

/** Randomness that is a function of the run's seed, against the definitions of its generators. */

const SEED = Array.from({ length: 32 }, (_, i) => (i * 37 + 11).toString(16).padStart(2, '0').slice(-2)).join('');
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

/** The first bytes of ChaCha20, as OpenSSL has it: 4 bytes of counter, 12 of nonce. */
function stream(length: number): Buffer {
  return createCipheriv('chacha20', Buffer.from(SEED, 'hex'), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** xoshiro128** as its authors write it, on whole numbers of 32 bits. */
function xoshiro(state: Buffer, count: number): number[] {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotate = (value: bigint, by: bigint): bigint => word((value << by) | (word(value) >> (32n - by)));
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => BigInt(state.readUInt32LE(at))) as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = word(rotate(word(b * 5n), 7n) * 9n);
    const shifted = word(b << 9n);
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11n);
    return Number(result);
  });
}

const valuesOf = (code: string, seed = SEED): unknown => runProgram(engine, code, { seed }).result;

test('random bytes are ChaCha20 with the seed as its key', () => {
  const code = 'return [...crypto.getRandomValues(new Uint8Array(5)), ...crypto.getRandomValues(new Uint8Array(200))]';
  expect(valuesOf(code)).toEqual([...stream(205)]);
});

test('Math.random is xoshiro128** with a state from that stream, 53 bits a number', () => {
  const words = xoshiro(stream(16), 2_000);
  const expected = Array.from({ length: 1_000 }, (_, i) => (((words[2 * i] ?? 0) >>> 11) * 2 ** 32 + (words[2 * i + 1] ?? 0)) / 2 ** 53);
  expect(valuesOf('return Array.from({ length: 1000 }, () => Math.random())')).toEqual(expected);
});

test('numbers are in [0, 1), evenly', () => {
  const code = `const bins = new Array(10).fill(0); for (let i = 0; i < 20000; i++) bins[Math.floor(Math.random() * 10)]++; return bins`;
  const bins = valuesOf(code) as number[];
  expect(bins).toHaveLength(10);
  for (const count of bins) expect(Math.abs(count - 2_000)).toBeLessThan(250);
});

test('another seed gives other numbers, and the same one the same', () => {
  const code = 'return [Math.random(), crypto.randomUUID()]';
  expect(valuesOf(code)).toEqual(valuesOf(code));
  expect(valuesOf(code, 'ab'.repeat(32))).not.toEqual(valuesOf(code));
});
