import { expect, test } from 'vitest';
import { NextTry } from '../../src/upstream/next-try.ts';

const LONG_MS = 60_000;
const never = (): AbortSignal => new AbortController().signal;

async function took(work: Promise<void>): Promise<number> {
  const from = performance.now();
  await work;
  return performance.now() - from;
}

test('a wait that nobody shortens takes its time', async () => {
  expect(await took(new NextTry(10).wait(60, never()))).toBeGreaterThanOrEqual(55);
});

test('a call of a tool makes a long wait short, and no shorter than it may be, however often it is called', async () => {
  const next = new NextTry(80);
  const waiting = took(next.wait(LONG_MS, never()));
  for (let call = 0; call < 1_000; call++) next.want();
  const ms = await waiting;
  expect(ms).toBeGreaterThanOrEqual(75);
  expect(ms).toBeLessThan(LONG_MS / 2);
});

test('a call before the wait does not shorten it', async () => {
  const next = new NextTry(0);
  next.want();
  expect(await took(next.wait(60, never()))).toBeGreaterThanOrEqual(55);
});

test('another reason, and the end of the server, end the wait at once', async () => {
  expect(await took(new NextTry().wait(LONG_MS, never(), () => Promise.resolve()))).toBeLessThan(LONG_MS / 2);
  expect(await took(new NextTry().wait(LONG_MS, AbortSignal.abort()))).toBeLessThan(LONG_MS / 2);
});
