import { expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { CallJournal } from '../../src/execution/durable-run.ts';
import { LargeCalls } from '../../src/run/large-calls.ts';
import type { Approver } from '../../src/policy/approval.ts';
import { createPolicing } from '../../src/policy/policing.ts';
import { toolCalls } from '../../src/run/tool-calls.ts';
import { createArgumentValidator } from '../../src/upstream/arguments.ts';
import type { UpstreamCall } from '../../src/upstream/call.ts';
import type { CatalogTool } from '../../src/upstream/catalog.ts';
import { catalogOf, codeOf, LIMIT_VALUES, policies, tool } from './policies.ts';

/** A run whose server has other tools by the time that a call is made than when it was asked for. */
interface Changing {
  readonly sent: UpstreamCall[];
  readonly call: (name: string, args: object) => Promise<ToolAnswer>;
  readonly change: (...tools: CatalogTool[]) => void;
}

function changing(
  given: unknown,
  first: readonly CatalogTool[],
  { approver, dryRun, journal }: { approver?: Approver; dryRun?: boolean; journal?: CallJournal } = {},
): Changing {
  let catalog = catalogOf({ s: first });
  const sent: UpstreamCall[] = [];
  const upstreams = {
    catalog: () => catalog,
    call: (call: UpstreamCall): Promise<ToolAnswer> => {
      // As the real ones do: a tool that is there now is called.
      const isThere = catalog.servers.some(({ tools }) => tools.some(({ name }) => name === call.tool));
      if (isThere) sent.push(call);
      return Promise.resolve(isThere ? { ok: true, value: '1' } : { ok: false, error: { code: 'ERR_CALL_UNKNOWN_TOOL', message: '' } });
    },
  } as unknown as Parameters<typeof toolCalls>[0]['upstreams'];
  const run = createPolicing({ policies: policies(given), ttlMs: 3_600_000 }).begin({ principal: 'local', dryRun, catalog });
  const stages = { upstreams, validateArguments: createArgumentValidator(), limits: LIMIT_VALUES, largeCalls: new LargeCalls() };
  const answer = toolCalls(stages, { policies: run, principal: 'local', approver, journal, program: { code: 'return 1;', hash: 'ab' } });
  let number = 0;
  return {
    sent,
    call: (name, args) =>
      answer(
        { executionId: 'exe_1', number: number++, server: 's', tool: name, arguments: JSON.stringify(args) },
        new AbortController().signal,
      ),
    change: (...tools) => (catalog = catalogOf({ s: tools })),
  };
}

const LARGE = { text: 'x'.repeat(100_000) };

test('a large call that waits is judged by what there is when its turn comes: a tool that came meanwhile is denied all the same', async () => {
  const { sent, call, change } = changing({ servers: { s: { tools: { wipe: { policy: 'deny' } } } } }, []);
  const answer = call('wipe', LARGE);
  change(tool('wipe'));
  expect([codeOf(await answer), sent]).toEqual(['ERR_CALL_DENIED', []]);
});

test('so is a dry run, and a tool that has become destructive', async () => {
  const dry = changing({}, [], { dryRun: true });
  const answer = dry.call('send', LARGE);
  dry.change(tool('send'));
  await answer;
  expect(dry.sent).toEqual([]);
  const { sent, call, change } = changing({}, [tool('send')]);
  const other = call('send', LARGE);
  change(tool('send', { annotations: { destructiveHint: true } }));
  expect([codeOf(await other), sent]).toEqual(['ERR_CALL_APPROVAL', []]);
});

test('what a person has agreed to is sent only while the tool is still the same', async () => {
  let change = (): void => undefined;
  const approver: Approver = { ask: () => Promise.resolve(change()).then(() => ({ granted: true })) };
  const first = tool('send', { description: 'Sends a greeting.' });
  const run = changing({ default: 'ask' }, [first], { approver });
  expect(codeOf(await run.call('send', {}))).toBe('ok');
  change = () => run.change(tool('send', { description: 'Sends all there is.' }));
  const answer = await run.call('send', {});
  expect([codeOf(answer), run.sent.length]).toEqual(['ERR_CALL_APPROVAL', 1]);
  // The new one is asked about anew.
  change = () => undefined;
  expect(codeOf(await run.call('send', {}))).toBe('ok');
});

test('it is looked at once more after it was written down that the call leaves', async () => {
  let change = (): void => undefined;
  const journal: CallJournal = { asking: () => Promise.resolve(), sending: () => Promise.resolve(change()) };
  const approver: Approver = { ask: () => Promise.resolve({ granted: true }) };
  const run = changing({ default: 'ask' }, [tool('send', { description: 'Sends a greeting.' })], { approver, journal });
  change = () => run.change(tool('send', { description: 'Sends all there is.' }));
  expect([codeOf(await run.call('send', {})), run.sent]).toEqual(['ERR_CALL_APPROVAL', []]);
});

test('a question that cannot be kept sends nothing, and the program hears why', async () => {
  const approver: Approver = { ask: () => Promise.reject(new SandboxError('ERR_EXECUTION_STORE', 'No disk.')) };
  const run = changing({ default: 'ask' }, [tool('send')], { approver });
  expect([codeOf(await run.call('send', {})), run.sent]).toEqual(['ERR_EXECUTION_STORE', []]);
});
