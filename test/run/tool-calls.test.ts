import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { CallJournal } from '../../src/execution/durable-run.ts';
import { toolCalls } from '../../src/run/tool-calls.ts';
import { createPolicing } from '../../src/policy/policing.ts';
import { createArgumentValidator } from '../../src/upstream/arguments.ts';
import { catalogOf, codeOf, LIMIT_VALUES, policies, tool, wordsOf } from '../policy/policies.ts';

const SERVERS = {
  a: [tool('make'), tool('look', { annotations: { readOnlyHint: true } }), tool('put', { annotations: { idempotentHint: true } })],
};

/** What is told and sent, in its order, by calls of a run whose journal is the test's. */
function desk(journal: CallJournal | undefined, signal = new AbortController().signal) {
  const told: string[] = [];
  const catalog = catalogOf(SERVERS);
  const upstreams = {
    catalog: () => catalog,
    call: ({ tool: name }: { tool: string }): Promise<ToolAnswer> => {
      told.push(`sent ${name}`);
      return Promise.resolve({ ok: true, value: '1' });
    },
  } as unknown as Parameters<typeof toolCalls>[0]['upstreams'];
  const run = createPolicing({ policies: policies(), ttlMs: 1_000 }).begin({ principal: 'local', tools: { 'a.make': 1 }, catalog });
  const written = journal && {
    asking: (call: number) => journal.asking(call),
    sending: async (call: number, isRepeatable: boolean) => {
      told.push(`sending ${call} ${isRepeatable ? 'again' : 'once'}`);
      await journal.sending(call, isRepeatable);
      told.push(`written ${call}`);
    },
  };
  const stages = { upstreams, validateArguments: createArgumentValidator(), limits: LIMIT_VALUES };
  const program = { code: '', hash: '' };
  const answer = toolCalls(stages, { policies: run, principal: 'local', program, journal: written });
  let number = 0;
  const call = (name: string): Promise<ToolAnswer> =>
    answer({ executionId: 'exe_1', number: ++number, server: 'a', tool: name, arguments: '{}' }, signal);
  return { told, call };
}

const journal = (sending: CallJournal['sending']): CallJournal => ({ asking: () => Promise.resolve(), sending });

describe('before a call leaves', () => {
  test('it is written down, and nobody waits for that where it may be made twice', async () => {
    const { told, call } = desk(journal(() => new Promise((resolve) => setImmediate(resolve))));
    expect(codeOf(await call('make'))).toBe('ok');
    expect(told).toEqual(['sending 1 once', 'written 1', 'sent make']);
    await call('look');
    await call('put');
    expect(told.slice(3)).toEqual(['sending 2 again', 'sent look', 'sending 3 again', 'sent put']);
  });

  test('what cannot be written down is not sent, does not count, and is told by a code', async () => {
    const full = new SandboxError('ERR_EXECUTION_STORE', 'The store is full.');
    let fails = true;
    const { told, call } = desk(journal(() => (fails ? Promise.reject(full) : Promise.resolve())));
    const answer = await call('make');
    expect([codeOf(answer), wordsOf(answer)]).toEqual(['ERR_EXECUTION_STORE', expect.stringContaining('Nothing was sent')]);
    expect(codeOf(await call('look'))).toBe('ok');
    expect(told.filter((line) => line.startsWith('sent'))).toEqual(['sent look']);
    fails = false;
    expect([codeOf(await call('make')), codeOf(await call('make'))]).toEqual(['ok', 'ERR_CALL_BUDGET']);
  });

  test('a failure of ours is none of the store that could be told to a program', async () => {
    const { call } = desk(journal(() => Promise.reject(new Error('/secret/path'))));
    const answer = await call('make');
    expect([codeOf(answer), wordsOf(answer)]).toEqual(['ERR_EXECUTION_STORE', expect.not.stringContaining('secret')]);
  });

  test('a call whose run has ended meanwhile stays here', async () => {
    const ended = new AbortController();
    const { told, call } = desk(
      journal(() => Promise.resolve(ended.abort())),
      ended.signal,
    );
    expect(codeOf(await call('make'))).toBe('ERR_EXECUTE_CANCELLED');
    expect(told).not.toContain('sent make');
  });

  test('nothing is written where nothing is kept', async () => {
    const { told, call } = desk(undefined);
    await call('make');
    expect(told).toEqual(['sent make']);
  });
});

test('a tool that comes while a call of it is written down is under its policy, as if it had been there', async () => {
  let catalog = catalogOf({ a: [] });
  const sent: string[] = [];
  const upstreams = {
    catalog: () => catalog,
    call: ({ tool: name }: { tool: string }): Promise<ToolAnswer> => {
      sent.push(name);
      return Promise.resolve({ ok: true, value: '1' });
    },
  } as unknown as Parameters<typeof toolCalls>[0]['upstreams'];
  const run = createPolicing({ policies: policies({ default: 'ask' }), ttlMs: 1_000 }).begin({ principal: 'local', catalog });
  const coming = journal(async () => void (catalog = catalogOf(SERVERS)));
  const stages = { upstreams, validateArguments: createArgumentValidator(), limits: LIMIT_VALUES };
  const answer = toolCalls(stages, { policies: run, principal: 'local', program: { code: '', hash: '' }, journal: coming });
  const call = { executionId: 'exe_1', number: 1, server: 'a', tool: 'make', arguments: '{}' };
  expect(codeOf(await answer(call, new AbortController().signal))).toBe('ERR_CALL_APPROVAL');
  expect(sent).toEqual([]);
});
