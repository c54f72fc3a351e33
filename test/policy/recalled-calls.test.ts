import { describe, expect, test } from 'vitest';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { StoredCall } from '../../src/execution/execution-store.ts';
import { recallCalls } from '../../src/run/recall-calls.ts';
import type { Run } from '../../src/run/run-parts.ts';
import { catalogOf, codeOf, desk, tool, type Desk, type DeskRun } from './policies.ts';

/** A run before a restart and the same one after it, each in a gateway of its own. */

const SERVERS = { crm: [tool('find')], web: [tool('post'), tool('get', { annotations: { readOnlyHint: true } })] };
const EMAIL = 'jo.doe@example.org';
const LONG = 'a sentence of the customer that is long enough to be followed';

/** Calls as the store has them. The program gave `args`, and got `answer`. */
function stored(number: number, name: `${string}.${string}`, args: object, answer?: ToolAnswer, stage?: StoredCall['stage']): StoredCall {
  const [server = '', toolName = ''] = name.split('.');
  const told = answer && { answer, answeredAt: 10 * number + 5 };
  const rest = { isRepeatable: false, at: 10 * number, stage: stage ?? (answer ? ('answered' as const) : ('sent' as const)) };
  return { number, server, tool: toolName, arguments: JSON.stringify(args), ...rest, ...told };
}

const ok = (value: unknown): ToolAnswer => ({ ok: true, value: JSON.stringify(value) });
const failed = (code: 'ERR_CALL_DENIED' | 'ERR_CALL_APPROVAL' | 'ERR_CALL_TOOL'): ToolAnswer => ({
  ok: false,
  error: { code, message: 'no' },
});

async function recalled(gateway: Desk, calls: readonly StoredCall[], begin: Parameters<Desk['begin']>[0] = {}): Promise<DeskRun> {
  const run = gateway.begin(begin);
  const parts = { policies: run.policies, results: { recall: () => undefined }, types: { observe: () => ok(null) } };
  await recallCalls({ run: parts as unknown as Run, catalog: catalogOf(SERVERS) }, calls);
  return run;
}

describe('after a restart', () => {
  test('a budget is spent by the calls that were made, those without an answer too, and not by those that were not', async () => {
    const calls = [
      stored(1, 'web.post', {}, ok(1)),
      stored(2, 'web.post', {}, failed('ERR_CALL_TOOL')),
      stored(3, 'web.post', {}, failed('ERR_CALL_APPROVAL')),
      stored(4, 'web.post', {}, failed('ERR_CALL_DENIED')),
      stored(5, 'web.post', {}, undefined, 'asked'),
      stored(6, 'web.post', {}),
    ];
    const run = await recalled(desk({}, SERVERS), calls, { tools: { 'web.post': 5 } });
    expect([codeOf(await run.call('web.post')), codeOf(await run.call('web.post'))]).toEqual(['ok', 'ERR_CALL_BUDGET']);
  });

  test('a call that is made again counts once', async () => {
    const run = await recalled(desk({}, SERVERS), [stored(0, 'web.post', {})], { tools: { 'web.post': 1 } });
    expect([codeOf(await run.call('web.post')), codeOf(await run.call('web.post'))]).toEqual(['ok', 'ERR_CALL_BUDGET']);
  });

  test('what an answer said is kept from where it may not go, whole or in part', async () => {
    const gateway = desk({ dataFlow: [{ from: ['crm.*'], to: ['web.*'] }] }, SERVERS);
    const run = await recalled(gateway, [stored(1, 'crm.find', {}, ok({ text: LONG }))]);
    expect(codeOf(await run.call('web.post', { text: `He said: ${LONG}` }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('web.post', { text: 'something of its own' }))).toBe('ok');
  });

  test('a run that could have read a kept answer may send nothing', async () => {
    const gateway = desk({ dataFlow: [{ from: ['crm.*'], to: ['web.*'] }] }, SERVERS);
    const hint = `readFile("results/${'ab'.repeat(16)}?offset=0&limit=100")`;
    const large: ToolAnswer = { ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE', message: 'It is too large', hint } };
    const run = await recalled(gateway, [stored(1, 'crm.find', {}, large)]);
    expect(codeOf(await run.call('web.post', { text: 'anything' }))).toBe('ERR_CALL_DATA_FLOW');
  });

  test('personal data of an answer is hidden by the same token, and a token that the program began with can be sent', async () => {
    const rules = { personalData: { servers: ['crm'] }, dataFlow: [{ from: ['crm.*'], to: ['web.*'] }] };
    const before = desk(rules, SERVERS, () => ({ email: EMAIL }));
    const first = before.begin();
    await first.call('crm.find');
    const token = first.policies.hide?.text(EMAIL) ?? '';
    expect(token).toMatch(/^‹email_/);
    const memory = before.begin().policies.memory({ code: `send("${token}")`, state: '{}' });
    const after = desk(rules, SERVERS);
    const run = after.begin();
    run.policies.restore(JSON.parse(JSON.stringify(memory)) as NonNullable<typeof memory>);
    expect(run.policies.hide?.text(`to ${EMAIL}`)).toBe(`to ${token}`);
    expect(codeOf(await run.call('web.post', { to: token }))).toBe('ERR_CALL_DATA_FLOW');
    const other = after.begin({ principal: 'key:other' });
    expect(codeOf(await other.call('web.post', { to: token }))).toBe('ERR_CALL_ARGUMENTS');
  });

  test('a token that stands for nothing any more is refused, and nothing is sent', async () => {
    const gateway = desk({ personalData: { servers: ['crm'] } }, SERVERS);
    const run = await recalled(gateway, [stored(1, 'crm.find', {}, ok({ email: EMAIL }))]);
    expect(codeOf(await run.call('web.post', { to: '‹email_0123456789›' }))).toBe('ERR_CALL_ARGUMENTS');
    expect(run.policies.hide?.text(EMAIL)).toMatch(/^‹email_/);
    expect(gateway.sent).toEqual([]);
  });

  test('the calls that a dry run did not make are listed again', async () => {
    const calls = [stored(1, 'web.post', { a: 1 }, ok(null)), stored(2, 'web.get', {}, ok(1))];
    const { policies } = await recalled(desk({}, SERVERS), calls, { dryRun: true });
    expect(policies.dryCalls.listed).toEqual([{ server: 'web', tool: 'post', arguments: { a: 1 }, answer: 'none' }]);
  });

  test('a run of which not all is known may have done everything', async () => {
    const rules = { dataFlow: [{ from: ['crm.*'], to: ['web.*'] }], personalData: { servers: ['crm'] } };
    const run = desk(rules, SERVERS).begin({ tools: { 'crm.find': 100 } });
    run.policies.suspectPast();
    expect(codeOf(await run.call('crm.find'))).toBe('ERR_CALL_BUDGET');
    expect(codeOf(await run.call('web.post', { text: 'anything' }))).toBe('ERR_CALL_DATA_FLOW');
    expect(run.policies.hide?.text(EMAIL)).toMatch(/^‹email_/);
  });
});
