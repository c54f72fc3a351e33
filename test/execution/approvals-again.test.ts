import { describe, expect, test } from 'vitest';
import type { Approvals } from '../../src/execution/approvals.ts';
import type { ApprovalAnswer } from '../../src/execution/approver.ts';
import {
  first,
  gateway,
  never,
  NO,
  open,
  operator,
  person,
  question,
  records,
  stores,
  untilOpen,
  withStores,
  YES,
  type Records,
} from './asking-gateways.ts';

withStores();

describe('after a restart', () => {
  test('the same question goes on, and its answer counts', async () => {
    const of = await records();
    void gateway(of).ask();
    await untilOpen(of);
    const id = await first(of);
    const answer = gateway(of).ask();
    await new Promise(setImmediate);
    expect(await open(of)).toEqual([id]);
    await operator(of, true, id);
    expect(await answer).toEqual({ granted: true, by: 'operator' });
  });

  test('one that was decided meanwhile is not asked again', async () => {
    const of = await records();
    void gateway(of).ask();
    await operator(of, true);
    const client = person();
    const { ask, asking } = gateway(of);
    expect(await ask(client)).toEqual({ granted: true, by: 'operator' });
    expect([client.asked, asking]).toEqual([[], []]);
  });

  test.each([
    ['another tool', { tool: 'u' }],
    ['another server', { server: 'r' }],
    ['another text', { text: 'May it, as it is defined now?' }],
    ['other arguments, though they are not in the text', { arguments: { id: 8 } }],
  ])('a yes to a question is none to %s', async (_name, more) => {
    const of = await records();
    void gateway(of).ask();
    await operator(of, true);
    expect(await gateway(of).ask(undefined, more)).toEqual({ granted: false, reason: 'changed' });
  });

  test('personal data may have other tokens', async () => {
    const of = await records();
    void gateway(of).ask(undefined, { text: 'Mail to ‹email_0123456789›?' });
    await operator(of, true);
    expect(await gateway(of).ask(undefined, { text: 'Mail to ‹email_abcdefabcd›?' })).toEqual({ granted: true, by: 'operator' });
  });
});

describe('a call that may have been made already', () => {
  test('is the operator’s alone, whoever can be asked', async () => {
    const of = await records();
    const { approvals } = gateway(of);
    const client = person();
    approvals.attach(of.ann, client);
    const answer = approvals.askRepeat(question(of), never);
    await untilOpen(of);
    expect((await stores.command.approval(await first(of)))?.kind).toBe('repeat');
    expect(client.asked).toEqual([]);
    await approvals.answer(of.ann, 'ann', new Map([[await first(of), YES]]));
    expect(await open(of)).toHaveLength(1);
    await operator(of, true);
    expect(await answer).toEqual({ granted: true, by: 'operator' });
  });

  test('that may be made again may be made: nobody is asked twice, but about the next call', async () => {
    const of = await records();
    const { approvals, ask } = gateway(of);
    const answer = approvals.askRepeat(question(of), never);
    await operator(of, true);
    await answer;
    expect(await ask()).toEqual({ granted: true, by: 'operator' });
    void ask(undefined, { call: 2 });
    await untilOpen(of);
  });

  test('is not approved by the yes to the call itself', async () => {
    const of = await records();
    void gateway(of).ask();
    await operator(of, true);
    const ending = new AbortController();
    const answer = gateway(of).approvals.askRepeat(question(of), ending.signal);
    await untilOpen(of);
    ending.abort();
    expect(await answer).toEqual({ granted: false, reason: 'dismissed' });
  });

  test('is asked about anew when it was made again and interrupted again', async () => {
    const of = await records();
    const answer = gateway(of).approvals.askRepeat(question(of), never);
    await operator(of, true);
    await answer;
    const call = { number: 1, server: 's', tool: 't', arguments: '{"id":7}', isRepeatable: false, at: Date.now() };
    await stores.gateway.call(of.ann, { ...call, stage: 'sent' });
    void gateway(of).approvals.askRepeat(question(of), never);
    await untilOpen(of);
    expect((await stores.command.approval(await first(of)))?.kind).toBe('repeat');
  });
});

describe('a client that comes back', () => {
  async function asked(of: Records): Promise<{ id: string; approvals: Approvals; answer: Promise<ApprovalAnswer> }> {
    const { approvals, ask } = gateway(of);
    const answer = ask();
    await untilOpen(of);
    return { id: await first(of), approvals, answer };
  }

  test('answers by the id of the question, and the first answer counts', async () => {
    const of = await records();
    const { id, approvals, answer } = await asked(of);
    await approvals.answer(of.ann, 'ann', new Map([[id, NO]]));
    await approvals.answer(of.ann, 'ann', new Map([[id, YES]]));
    expect(await answer).toEqual({ granted: false, reason: 'refused', by: 'client' });
  });

  test.each([
    ['another principal', 'ann', 'ben'],
    ['another execution', 'anns', 'ann'],
    ['another execution of another principal', 'ben', 'ben'],
  ] as const)('in the name of %s changes nothing', async (_name, execution, principal) => {
    const of = await records();
    const { id, approvals } = await asked(of);
    await approvals.answer(of[execution], principal, new Map([[id, YES]]));
    expect(await open(of)).toEqual([id]);
  });

  test('is asked about what is open and what comes, but not about what its user did not want to answer', async () => {
    const of = await records();
    const { approvals, ask } = gateway(of);
    void ask(undefined, { call: 1 });
    await untilOpen(of);
    void ask(undefined, { call: 2 });
    await untilOpen(of, 2);
    const client = person();
    const detach = approvals.attach(of.ann, client, new Set([await first(of)]));
    void ask(undefined, { call: 3 });
    void ask(undefined, { executionId: of.anns });
    await untilOpen(of, 4);
    await expect.poll(() => client.asked.map(({ call }) => call)).toEqual([2, 3]);
    detach();
    void ask(undefined, { call: 4 });
    await untilOpen(of, 5);
    expect(client.asked).toHaveLength(2);
  });

  test('has a name for the execution that is its principal’s alone, holds after a restart and cannot be changed', async () => {
    const of = await records();
    const state = (await gateway(of).approvals.mintState('ann', { executionId: of.ann, round: 3 })) ?? '';
    const { approvals } = gateway(of);
    expect(await approvals.readState('ann', state)).toEqual({ executionId: of.ann, round: 3 });
    const others = ['', of.ann, `${state}-TAMPERED`, state.replace('.3.', '.2.'), state.replace(of.ann, of.anns), `${state.slice(0, -1)}~`];
    for (const other of others) expect(await approvals.readState('ann', other)).toBeUndefined();
    expect(await approvals.readState('ben', state)).toBeUndefined();
    expect(await approvals.mintState('ben', { executionId: of.ann, round: 1 })).toBeUndefined();
  });
});
