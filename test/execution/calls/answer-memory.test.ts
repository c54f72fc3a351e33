import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnswerMemory, sizeOf } from '../../../src/execution/calls/answer-memory.ts';
import type { ExecutionStore } from '../../../src/execution/execution-store.ts';
import { begin, HeldTool, memoryStore, openRuns, resultOf, until } from '../carried.ts';

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

test('takes what fits, just under and not just over', () => {
  const memory = new AnswerMemory(10);
  expect([memory.take(4), memory.take(6), memory.take(1)]).toEqual([true, true, false]);
  memory.giveBack(1);
  expect([memory.take(1), memory.bytes]).toEqual([true, 10]);
});

test('counts the content of errors', () => {
  expect(sizeOf({ ok: true, value: 'abc' })).toBe(3);
  expect(sizeOf({ ok: false, error: { code: 'ERR_CALL_TOOL', message: '' } })).toBe(1_024);
  expect(sizeOf({ ok: false, error: { code: 'ERR_CALL_TOOL', message: '', content: ['x'.repeat(100)] } })).toBe(1_024 + 104);
});

test.each([
  ['there is room for', 1_000_000],
  ['there is no room for', 10],
])('answers that %s reach their run', async (_, maxAnswerBytes) => {
  await using all = openRuns({ store, maxAnswerBytes });
  const tool = new HeldTool();
  const run = await begin(all, [{ call: ['one', 'two', 'three'] }, { call: ['four'] }], { onCall: tool.onCall });
  await tool.untilCalled(3);
  await until(() => all.runs.waiting === 1);
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(100));
  for (const [index, text] of texts.entries()) await tool.answer(index + 1, { ok: true, value: JSON.stringify(text) });
  await tool.untilCalled(4);
  all.executor.lose();
  await tool.answer(4, { ok: true, value: '"d"' });
  expect(await resultOf(run)).toEqual([...texts, 'd']);
});

test('what the gateway alone needs of an answer is neither stored nor handed on', async () => {
  await using all = openRuns({ store });
  const whole = Buffer.from('x');
  const run = await begin(all, [{ call: ['one'] }], {
    onCall: () => () =>
      Promise.resolve({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE', message: 'Too large.', whole, isMessage: true } }),
  });
  expect(await resultOf(run)).toEqual(['ERR_UPSTREAM_TOO_LARGE']);
  expect((await store.read(run.id))?.calls[0]?.answer).toEqual({
    ok: false,
    error: { code: 'ERR_UPSTREAM_TOO_LARGE', message: 'Too large.' },
  });
});
