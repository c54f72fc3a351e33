import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sizeOf } from '../../../src/execution/calls/call-memory.ts';
import type { ExecutionStore } from '../../../src/execution/execution-store.ts';
import { openExecutions } from '../../../src/execution/store/sqlite-executions.ts';
import { begin, changed, HeldTool, memoryStore, openRuns, resultOf, until } from '../carried.ts';
import { LIMITS } from '../stored-executions.ts';

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

test('counts the content of errors', () => {
  expect(sizeOf({ ok: true, value: 'abc' })).toBe(3);
  expect(sizeOf({ ok: false, error: { code: 'ERR_CALL_TOOL', message: 'x'.repeat(50) } })).toBe(1_024 + 50);
  expect(sizeOf({ ok: false, error: { code: 'ERR_CALL_TOOL', message: '', content: ['x'.repeat(100)] } })).toBe(1_024 + 104);
});

test.each([
  ['there is room for', 1_000_000],
  ['there is no room for', 10],
])('answers that %s reach their run', async (_, maxAnswerBytes) => {
  await using all = openRuns({ store, callMemory: { answers: maxAnswerBytes } });
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

test.each([1_000_000, 0])(
  'answers that are together longer than a record may be reach a run that sleeps, with %d bytes of memory',
  async (maxAnswerBytes) => {
    const small = openExecutions({ file: undefined, group: 'test', limits: { ...LIMITS, maxRecordBytes: 1_024 * 1_024 } });
    await using all = openRuns({ store: small, callMemory: { answers: maxAnswerBytes } });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one', 'two', 'three'] }], { onCall: tool.onCall });
    await tool.untilCalled(3);
    await until(() => all.runs.waiting === 1);
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(700_000));
    await Promise.all(texts.map((text, index) => tool.answer(index + 1, { ok: true, value: JSON.stringify(text) })));
    const result = (await resultOf(run)) as string[];
    expect(result.map((text, index) => text === texts[index])).toEqual([true, true, true]);
    await small.close();
  },
);

test('an answer that there is no room for is read without the others', async () => {
  const read = (): Promise<never> => Promise.reject(new Error('the whole record was read'));
  await using all = openRuns({ store: changed(store, { read }), callMemory: { answers: 0 } });
  const tool = new HeldTool();
  const run = await begin(all, [{ call: ['one', 'two', 'three'] }], { onCall: tool.onCall });
  await tool.untilCalled(3);
  await until(() => all.runs.waiting === 1);
  await Promise.all([tool.answer(3), tool.answer(1), tool.answer(2)]);
  expect(await resultOf(run)).toEqual(['one 1', 'two 2', 'three 3']);
});

test('an answer that the store has no room for stays in memory until its run has taken it', async () => {
  const answered: ExecutionStore['answered'] = () => Promise.resolve(false);
  await using all = openRuns({ store: changed(store, { answered }) });
  const tool = new HeldTool();
  const run = await begin(all, [{ call: ['one', 'two'] }], { onCall: tool.onCall });
  await tool.untilCalled(2);
  await until(() => all.runs.waiting === 1);
  await Promise.all([tool.answer(1), tool.answer(2)]);
  expect(await resultOf(run)).toEqual(['one 1', 'two 2']);
});

test.each([
  ['just enough', 400, ['a'.repeat(298), 'two 2']],
  ['too little', 398, ['ERR_EXECUTION_FULL', 'two 2']],
])(
  'an answer that there is %s memory for and no room in the store reaches its run, or an error that says so',
  async (_, maxAnswerBytes, expected) => {
    const answered: ExecutionStore['answered'] = () => Promise.resolve(false);
    await using all = openRuns({ store: changed(store, { answered }), callMemory: { answers: maxAnswerBytes } });
    const [first, second] = [new HeldTool(), new HeldTool()];
    const run = await begin(all, [{ call: ['one'] }, { call: ['two'] }], {
      onCall: (journal) => {
        const [one, two] = [first.onCall(journal), second.onCall(journal)];
        return (call, signal) => (call.number === 1 ? one : two)(call, signal);
      },
    });
    await first.untilCalled();
    await until(() => all.runs.waiting === 1);
    await first.answer(1, { ok: true, value: JSON.stringify('a'.repeat(298)) });
    await second.answer(2);
    expect(await resultOf(run)).toEqual(expected);
  },
);

test.each([
  ['just enough', 2_731, ['one 1', 'two 2']],
  ['too little', 2_730, ['one 1', 'ERR_EXECUTION_FULL']],
])('answers that come faster than they are written have %s memory, and none stays counted', async (_, unwritten, expected) => {
  const writing = Promise.withResolvers<boolean>();
  const answered: ExecutionStore['answered'] = (_id, { number }) => (number <= 2 ? writing.promise : Promise.resolve(true));
  // Three quarters for one principal.
  await using all = openRuns({ store: changed(store, { answered }), callMemory: { unwritten } });
  const tool = new HeldTool();
  const run = await begin(all, [{ call: ['one', 'two'] }, { call: ['three'] }], {
    request: { hibernation: { afterMs: 60_000, maxImageBytes: 1 } },
    onCall: tool.onCall,
  });
  const large = (number: number, text: string): Promise<void> =>
    tool.answer(number, { ok: true, value: JSON.stringify(text).padEnd(1_024) });
  await tool.untilCalled(2);
  for (const number of [1, 2]) await large(number, `${['', 'one', 'two'][number]} ${number}`);
  await tool.untilCalled(3);
  writing.resolve(true);
  await nextTurn();
  await large(3, 'three');
  expect(await resultOf(run)).toEqual([...expected, 'three']);
});

test.each([
  ['just enough', 32, ['one 1', 'two 2', 'three 3']],
  ['too little', 31, ['one 1', 'ERR_EXECUTION_FULL', 'three 3']],
])(
  'the arguments of calls that a run waits for have %s memory; a call that has none is not made, and others are again',
  async (_, bytes, expected) => {
    await using all = openRuns({ store, callMemory: { arguments: bytes } });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one', 'two'] }, { call: ['three'] }], { onCall: tool.onCall });
    const first = expected[1] === 'ERR_EXECUTION_FULL' ? [1] : [1, 2];
    for (const number of first) await tool.answer(number);
    await tool.answer(3);
    expect(await resultOf(run)).toEqual(expected);
    expect(tool.calls.map(({ number }) => number)).toEqual([...first, 3]);
  },
);

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
