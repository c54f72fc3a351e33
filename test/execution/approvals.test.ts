import { describe, expect, test } from 'vitest';
import { createApprovals } from '../../src/execution/approvals.ts';
import { end } from './asked-executions.ts';
import {
  changed,
  first,
  gateway,
  never,
  open,
  operator,
  person,
  question,
  records,
  stores,
  untilOpen,
  withStores,
  YES,
} from './asking-gateways.ts';

withStores();

describe('a question', () => {
  test('is kept before anybody is asked, with all that a person has to know', async () => {
    const of = await records();
    const { ask, asking } = gateway(of);
    const client = person();
    const answer = ask(client);
    await untilOpen(of);
    const kept = await stores.command.approval(await first(of));
    expect(kept).toMatchObject({ executionId: of.ann, principal: 'ann', call: 1, kind: 'approve', arguments: '{"id":7}', text: 'May it?' });
    expect(kept?.id).toMatch(/^apr_[\da-f]{32}$/);
    expect(client.asked).toEqual([{ ...question(of), id: kept?.id }]);
    expect(asking).toEqual([1]);
    client.answer(YES);
    expect(await answer).toEqual({ granted: true, by: 'client' });
    expect(await open(of)).toEqual([]);
  });

  test.each([
    ['yes', true, { granted: true, by: 'operator' }],
    ['no', false, { granted: false, reason: 'refused', by: 'operator' }],
  ])('of a client that cannot be asked waits for the operator, who says %s in another process', async (_name, granted, expected) => {
    const of = await records();
    const answer = gateway(of).ask();
    await operator(of, granted);
    expect(await answer).toEqual(expected);
  });

  test.each(['dismissed', 'unavailable', 'busy', 'often'] as const)(
    'that a client gives back as %s stays open for the operator',
    async (reason) => {
      const of = await records();
      const client = person();
      const answer = gateway(of).ask(client);
      client.answer({ granted: false, reason });
      await operator(of, true);
      expect(await answer).toEqual({ granted: true, by: 'operator' });
    },
  );

  test('is taken from the client when the operator was faster, and what it says then changes nothing', async () => {
    const of = await records();
    const client = person();
    const answer = gateway(of).ask(client);
    const decided = await operator(of, false);
    expect(await answer).toEqual({ granted: false, reason: 'refused', by: 'operator' });
    expect(client.withdrawn).toBe(1);
    client.answer(YES);
    await new Promise(setImmediate);
    expect((await stores.command.approval(decided?.id ?? ''))?.decision).toMatchObject({ granted: false, by: 'operator' });
  });

  test('that the operator has refused is refused, though this process hears the client’s yes first', async () => {
    const of = await records();
    const client = person();
    const answer = gateway(of, { store: changed({ onDecision: () => () => undefined }) }).ask(client);
    await operator(of, false);
    client.answer(YES);
    expect(await answer).toEqual({ granted: false, reason: 'refused', by: 'operator' });
  });

  test('that was decided between the asking and the listening is not missed', async () => {
    const of = await records();
    const store = changed({
      onDecision: () => () => undefined,
      ask: async (asked) => {
        const kept = await stores.gateway.ask(asked);
        await stores.command.decide(kept.id, { granted: true, by: 'operator', at: 1 });
        return kept;
      },
    });
    expect(await gateway(of, { store }).ask()).toEqual({ granted: true, by: 'operator' });
  });

  test('two who answer at once have one answer', async () => {
    for (let round = 0; round < 10; round++) {
      const of = await records();
      const client = person();
      const answer = gateway(of).ask(client);
      await untilOpen(of);
      const id = await first(of);
      const deciding = stores.command.decide(id, { granted: false, by: 'operator', at: Date.now() });
      client.answer(YES);
      const [said, decided] = await Promise.all([answer, deciding]);
      expect(said).toMatchObject(
        decided?.decision?.granted === true ? { granted: true, by: 'client' } : { granted: false, by: 'operator' },
      );
      expect((await stores.command.approval(id))?.decision).toEqual(decided?.decision);
    }
  });

  test('ends for its run with the run, and is as open as before: the run may only have left this process', async () => {
    const of = await records();
    const ending = new AbortController();
    const client = person();
    const { ask, approvals } = gateway(of);
    const answer = ask(client, {}, ending.signal);
    await untilOpen(of);
    expect(approvals.open(of.ann)).toHaveLength(1);
    ending.abort();
    expect(await answer).toEqual({ granted: false, reason: 'dismissed' });
    expect([client.withdrawn, approvals.open(of.ann)]).toEqual([1, []]);
    expect(await open(of)).toHaveLength(1);
  });

  test('of an execution that has ended is closed, and takes no answer', async () => {
    const of = await records();
    const client = person();
    const answer = gateway(of).ask(client);
    await untilOpen(of);
    const id = await first(of);
    await end(stores.gateway, of.ann);
    expect(await open(of)).toEqual([]);
    client.answer(YES);
    expect(await answer).toEqual({ granted: false, reason: 'dismissed' });
    expect(await stores.command.decide(id, { granted: true, by: 'operator', at: 1 })).toBeUndefined();
  });

  test('whose call cannot be written down is not waited for', async () => {
    const of = await records();
    const journal = { asking: () => Promise.reject(new Error('disk')) };
    await expect(createApprovals(stores.gateway).approver(person(), journal).ask(question(of), never)).rejects.toThrow('disk');
  });

  test('whose answer cannot be written down has none', async () => {
    const of = await records();
    const client = person();
    const answer = gateway(of, { store: changed({ decide: () => Promise.reject(new Error('disk')) }) }).ask(client);
    client.answer(YES);
    await expect(answer).rejects.toThrow('disk');
  });
});

test('one principal has so many open questions, others have theirs, and one that ends makes room', async () => {
  const of = await records();
  const { ask } = gateway(of, { maxOpen: 2 });
  const ending = new AbortController();
  const ended = ask(undefined, { call: 1 }, ending.signal);
  void ask(undefined, { call: 2 });
  await untilOpen(of, 2);
  expect(await ask(undefined, { call: 3 })).toEqual({ granted: false, reason: 'busy' });
  void ask(undefined, { executionId: of.ben, principal: 'ben' });
  await untilOpen(of, 3);
  ending.abort();
  await ended;
  void ask(undefined, { call: 4 });
  await untilOpen(of, 4);
});

test('a client that comes back before the operator’s decision was heard of has it, and is not asked again', async () => {
  const of = await records();
  const { ask, approvals } = gateway(of, { store: changed({ onDecision: () => () => undefined }) });
  const asked = ask(undefined);
  await untilOpen(of);
  const id = await first(of);
  // By then the question has looked for a decision itself.
  for (let round = 0; round < 5; round++) await stores.gateway.approval(id);
  await stores.command.decide(id, { granted: true, by: 'operator', at: 1 });
  await approvals.answer(of.ann, 'ann', new Map([[id, { granted: false, reason: 'refused' }]]));
  expect(await asked).toEqual({ granted: true, by: 'operator' });
  expect(approvals.open(of.ann)).toEqual([]);
});

test('calls of one moment find no more room than calls one after the other', async () => {
  const of = await records();
  const { ask } = gateway(of, { maxOpen: 2 });
  const asked = [1, 2, 3, 4, 5].map((call) => ask(undefined, { call }));
  for (const late of asked.slice(2)) expect(await late).toEqual({ granted: false, reason: 'busy' });
  await untilOpen(of, 2);
});

test('a run that has ended asks nobody', async () => {
  const of = await records();
  const client = person();
  expect(await gateway(of).ask(client, {}, AbortSignal.abort())).toEqual({ granted: false, reason: 'dismissed' });
  expect(client.asked).toEqual([]);
});

test('closed, it leaves all questions open and listens to nobody', async () => {
  const of = await records();
  const listeners = new Set<unknown>();
  const onDecision = (listener: unknown): (() => void) => (listeners.add(listener), () => void listeners.delete(listener));
  const { approvals, ask } = gateway(of, { store: changed({ onDecision }) });
  void ask();
  await untilOpen(of);
  expect(listeners.size).toBe(1);
  approvals.close();
  expect([(await open(of)).length, listeners.size]).toEqual([1, 0]);
});
