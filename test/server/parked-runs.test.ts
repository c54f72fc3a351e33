import { describe, expect, test } from 'vitest';
import type { ApprovalAnswer, ApprovalQuestion } from '../../src/policy/approval.ts';
import { ParkedRuns } from '../../src/server/parked-runs.ts';
import type { ParkedCaller, Step } from '../../src/server/parking.ts';
import type { ExecuteResponse } from '../../src/server/sandbox-port.ts';

const QUESTION: ApprovalQuestion = {
  executionId: 'exe',
  principal: 'one',
  call: 1,
  server: 's',
  tool: 't',
  arguments: {},
  text: 'May it?',
};
const YES = new Map<string, ApprovalAnswer>([['call_1', { granted: true }]]);

/** A run that asks so many questions and answers with what it heard. */
const asks =
  (count: number, heard: unknown[] = []) =>
  async ({ approver, signal }: ParkedCaller): Promise<ExecuteResponse> => {
    for (let n = 0; n < count; n++) heard.push(await approver.ask(QUESTION, signal));
    return { structured: { result: heard }, content: [] } as unknown as ExecuteResponse;
  };
const attached = (): { signal: AbortSignal; cancel: AbortController } => {
  const cancel = new AbortController();
  return { signal: cancel.signal, cancel };
};
const resultOf = (step: Step): unknown => ('response' in step ? step.response.structured.result : step);
const stateOf = (step: Step): string => ('state' in step ? step.state : '');
const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

describe('a run that asks', () => {
  test('is parked under a name that cannot be guessed, and goes on with the answers', async () => {
    const runs = new ParkedRuns();
    const step = await runs.start('one', attached(), asks(1));
    expect(stateOf(step)).toMatch(/^apr_[\w-]{32}$/);
    expect(resultOf(await runs.resume('one', stateOf(step), YES, attached()))).toEqual([{ granted: true }]);
    expect(runs.size).toBe(0);
  });

  test('has another name for each round, each good once', async () => {
    const runs = new ParkedRuns();
    const first = stateOf(await runs.start('one', attached(), asks(2)));
    const second = stateOf(await runs.resume('one', first, YES, attached()));
    expect(second).not.toBe(first);
    expect(await codeOf(async () => runs.resume('one', first, YES, attached()))).toBe('ERR_CALL_APPROVAL');
    expect(resultOf(await runs.resume('one', second, new Map(), attached()))).toEqual([
      { granted: true },
      { granted: false, reason: 'dismissed' },
    ]);
  });

  test('is parked also while somebody else leaves as many answers lying as there may be', async () => {
    const runs = new ParkedRuns(2);
    const answer = { structured: {}, content: [] } as unknown as ExecuteResponse;
    for (let n = 0; n < 20; n++) {
      const ending = Promise.withResolvers<ExecuteResponse>();
      const begin = ({ approver, signal }: ParkedCaller): Promise<ExecuteResponse> => {
        void approver.ask(QUESTION, signal).then(() => ending.resolve(answer));
        return ending.promise;
      };
      await runs.start('hoarder', attached(), begin);
      // It ends without anybody coming for its answer.
      ending.resolve(answer);
    }
    expect(runs.size).toBe(8);
    const mine = stateOf(await runs.start('one', attached(), asks(1)));
    expect(mine).toMatch(/^apr_/);
    expect(resultOf(await runs.resume('one', mine, YES, attached()))).toEqual([{ granted: true }]);
  });

  test('is nothing to another principal, who does not end it either', async () => {
    const runs = new ParkedRuns();
    const state = stateOf(await runs.start('one', attached(), asks(1)));
    expect(await codeOf(async () => runs.resume('two', state, YES, attached()))).toBe('ERR_CALL_APPROVAL');
    expect(await codeOf(async () => runs.resume('one', 'apr_guess', YES, attached()))).toBe('ERR_CALL_APPROVAL');
    expect(resultOf(await runs.resume('one', state, YES, attached()))).toEqual([{ granted: true }]);
  });

  test('is ended by its client while a request is open, and not by one that is over', async () => {
    const runs = new ParkedRuns();
    const [first, second] = [attached(), attached()];
    let signal: AbortSignal | undefined;
    const step = await runs.start('one', first, async (caller) => {
      ({ signal } = caller);
      await caller.approver.ask(QUESTION, new AbortController().signal);
      const ended = { structured: {}, content: [] } as unknown as ExecuteResponse;
      return caller.signal.aborted ? ended : new Promise((resolve) => caller.signal.addEventListener('abort', () => resolve(ended)));
    });
    first.cancel.abort();
    expect(signal?.aborted).toBe(false);
    const next = runs.resume('one', stateOf(step), YES, second);
    second.cancel.abort();
    await next;
    expect(signal?.aborted).toBe(true);
  });

  test('asks what comes together in one round', async () => {
    const runs = new ParkedRuns();
    const step = await runs.start('one', attached(), async ({ approver, signal }) => {
      const all = await Promise.all([1, 2, 3].map((call) => approver.ask({ ...QUESTION, call }, signal)));
      return { structured: { result: all.map(({ granted }) => granted) }, content: [] } as unknown as ExecuteResponse;
    });
    expect('questions' in step && [...step.questions.keys()]).toEqual(['call_1', 'call_2', 'call_3']);
    expect(resultOf(await runs.resume('one', stateOf(step), new Map([...YES, ['call_3', { granted: true }]]), attached()))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('goes on without a person when too many wait already', async () => {
    const runs = new ParkedRuns(2);
    await runs.start('one', attached(), asks(1));
    await runs.start('one', attached(), asks(1));
    expect(resultOf(await runs.start('one', attached(), asks(1)))).toEqual([{ granted: false, reason: 'busy' }]);
  });

  test('of a principal that has filled all places makes room for another principal, and hears that there are too many', async () => {
    const runs = new ParkedRuns(4);
    const heard: unknown[] = [];
    const states: string[] = [];
    for (let n = 0; n < 4; n++) states.push(stateOf(await runs.start('greedy', attached(), asks(2, n === 0 ? heard : []))));
    expect(resultOf(await runs.start('greedy', attached(), asks(1)))).toEqual([{ granted: false, reason: 'busy' }]);
    const other = stateOf(await runs.start('modest', attached(), asks(1)));
    expect(other).not.toBe('');
    // The oldest one has gone on by itself, through all its questions, and its answer can be fetched.
    await expect
      .poll(() => heard)
      .toEqual([
        { granted: false, reason: 'busy' },
        { granted: false, reason: 'busy' },
      ]);
    expect(resultOf(await runs.resume('greedy', states[0] ?? '', YES, attached()))).toEqual(heard);
    // No further than to the same number for each.
    expect(stateOf(await runs.start('modest', attached(), asks(1)))).not.toBe('');
    expect(resultOf(await runs.start('modest', attached(), asks(1)))).toEqual([{ granted: false, reason: 'busy' }]);
    expect(resultOf(await runs.resume('modest', other, YES, attached()))).toEqual([{ granted: true }]);
    expect(stateOf(await runs.resume('greedy', states[3] ?? '', YES, attached()))).not.toBe('');
  });

  test('is through at once when it asks nothing, or when it fails', async () => {
    const runs = new ParkedRuns();
    expect(resultOf(await runs.start('one', attached(), asks(0)))).toEqual([]);
    await expect(runs.start('one', attached(), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(runs.size).toBe(0);
  });

  test('whose question lost its interest is not parked for it', async () => {
    const runs = new ParkedRuns();
    const step = await runs.start('one', attached(), async ({ approver }) => {
      const gone = new AbortController();
      const asked = approver.ask(QUESTION, gone.signal);
      gone.abort();
      const answer = await asked;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { structured: { result: answer.granted }, content: [] } as unknown as ExecuteResponse;
    });
    expect(resultOf(step)).toBe(false);
  });
});

test('a question that came up after the others were shown is shown in its turn, and an answer to it before that is none', async () => {
  const runs = new ParkedRuns();
  const later = Promise.withResolvers<void>();
  const step = await runs.start('one', attached(), async ({ approver, signal }) => {
    const second = later.promise.then(() => approver.ask({ ...QUESTION, call: 2 }, signal));
    const all = await Promise.all([approver.ask(QUESTION, signal), second]);
    return { structured: { result: all.map(({ granted }) => granted) }, content: [] } as unknown as ExecuteResponse;
  });
  later.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const next = await runs.resume('one', stateOf(step), new Map([...YES, ['call_2', { granted: true }]]), attached());
  expect('questions' in next && [...next.questions.keys()]).toEqual(['call_2']);
  expect(resultOf(await runs.resume('one', stateOf(next), new Map([['call_2', { granted: true }]]), attached()))).toEqual([true, true]);
});

test('a run asks ten times in a row, and hears that it may not ask again', async () => {
  const runs = new ParkedRuns();
  let step = await runs.start('one', attached(), asks(12));
  for (let round = 1; round <= 10; round++) {
    step = await runs.resume('one', stateOf(step), new Map([[`call_${round}`, { granted: true }]]), attached());
  }
  const often = { granted: false, reason: 'often' };
  expect(resultOf(step)).toEqual([...Array.from({ length: 10 }, () => ({ granted: true })), often, often]);
  expect(runs.size).toBe(0);
});
