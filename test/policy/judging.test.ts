import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApprovalQuestion, Approver } from '../../src/policy/approval.ts';
import { createToolRules } from '../../src/policy/tool-rules.ts';
import { catalogOf, codeOf, desk, policies, tool, wordsOf } from './policies.ts';

const DESTRUCTIVE = { annotations: { destructiveHint: true } };
const READ_ONLY = { annotations: { readOnlyHint: true } };
const SERVERS = {
  tickets: [tool('create'), tool('create.many'), tool('delete', DESTRUCTIVE), tool('list', READ_ONLY)],
  web: [tool('post')],
};

function decision(given: unknown, name: string, more: object = {}): string {
  return createToolRules(policies(given))('tickets', tool(name, more)).decision;
}

describe('the most specific policy decides', () => {
  const tools = {
    create: { policy: 'ask' },
    'c*': { policy: 'deny' },
    'create*': { policy: 'allow' },
    '*': { policy: 'ask' },
    'd*e': { policy: 'allow' },
    'de*': { policy: 'deny' },
  };
  test.each([
    ['a name over a glob', 'create', 'ask'],
    ['a longer glob over a shorter one', 'create.many', 'allow'],
    ['a shorter glob over nothing', 'copy', 'deny'],
    ['the strictest of globs as long', 'delete', 'deny'],
    ['a glob over the server', 'list', 'ask'],
  ])('%s', (_what, name, expected) => {
    expect(decision({ servers: { tickets: { policy: 'deny', tools } } }, name)).toBe(expected);
  });

  test('a tool without a policy of its own has that of its server, and without that the default', () => {
    expect(decision({ servers: { tickets: { policy: 'ask', tools: { create: { maxCalls: 2 } } } } }, 'create')).toBe('ask');
    expect(decision({ default: 'deny', servers: { web: { policy: 'allow' } } }, 'create')).toBe('deny');
    expect(decision({ default: 'allow' }, 'delete', DESTRUCTIVE)).toBe('allow');
  });

  test('by default a tool that says it is destructive asks, and every other one is allowed', () => {
    expect(decision({}, 'delete', DESTRUCTIVE)).toBe('ask');
    expect(decision({}, 'delete', { annotations: { destructiveHint: true, readOnlyHint: true } })).toBe('ask');
    expect([
      decision({}, 'list', READ_ONLY),
      decision({}, 'create'),
      decision({}, 'x', { annotations: { destructiveHint: false } }),
    ]).toEqual(['allow', 'allow', 'allow']);
  });
});

describe('a denied call', () => {
  test('names tool and rule, and reaches nobody', async () => {
    const { begin, sent } = desk({ servers: { tickets: { tools: { 'create*': { policy: 'deny' } } } } }, SERVERS);
    const answer = await begin().call('tickets.create.many');
    expect(codeOf(answer)).toBe('ERR_CALL_DENIED');
    expect(wordsOf(answer)).toContain('tickets.create.many (policies.servers.tickets.tools["create*"].policy)');
    expect(sent).toEqual([]);
  });

  test('other tools of the server go on working', async () => {
    const { begin, sent } = desk({ servers: { tickets: { tools: { 'create*': { policy: 'deny' } } } } }, SERVERS);
    expect(codeOf(await begin().call('tickets.list'))).toBe('ok');
    expect(sent).toHaveLength(1);
  });
});

test('a call that allows itself many servers hears of some of them only', async () => {
  const servers = Array.from({ length: 50_000 }, (_, n) => `s${n}`.padEnd(100, 'x'));
  const words = wordsOf(await desk({}, SERVERS).begin({ servers }).call('web.post'));
  expect(words.length).toBeLessThan(2_000);
  expect(words).toContain('and 49980 more.');
  expect(
    wordsOf(
      await desk({}, SERVERS)
        .begin({ servers: ['tickets', 'mail'] })
        .call('web.post'),
    ),
  ).toContain('Its limits allow: tickets, mail.');
});

describe('budgets', () => {
  const given = { servers: { tickets: { maxCalls: 5, tools: { create: { maxCalls: 2 }, 'create*': { maxCalls: 3 } } } } };

  test('every one that matches counts', async () => {
    const { begin, sent } = desk(given, SERVERS);
    const run = begin();
    const names = ['create', 'create', 'create', 'create.many', 'create.many', 'list', 'list', 'list'] as const;
    const codes: string[] = [];
    for (const name of names) codes.push(codeOf(await run.call(`tickets.${name}`)));
    const no = 'ERR_CALL_BUDGET';
    expect(codes).toEqual(['ok', 'ok', no, 'ok', no, 'ok', 'ok', no]);
    expect(sent).toHaveLength(5);
  });

  test('a spent one is named, and another run has its own', async () => {
    const { begin } = desk(given, SERVERS);
    const run = begin();
    await run.call('tickets.create');
    await run.call('tickets.create');
    const answer = await run.call('tickets.create');
    expect(wordsOf(answer)).toContain('all 2 calls');
    expect(wordsOf(answer)).toContain('tickets.create (policies.servers.tickets.tools["create"].maxCalls)');
    expect(codeOf(await begin().call('tickets.create'))).toBe('ok');
  });

  test('a call lowers them and never raises them', async () => {
    const { begin } = desk(given, SERVERS);
    const lower = begin({ tools: { 'tickets.create': 1 } });
    expect(codeOf(await lower.call('tickets.create'))).toBe('ok');
    expect(wordsOf(await lower.call('tickets.create'))).toContain('limits.tools["tickets.create"]');
    const higher = begin({ tools: { 'tickets.create': 100, 'tickets.*': 100 } });
    const codes = await Promise.all([1, 2, 3].map(() => higher.call('tickets.create')));
    expect(codes.map(codeOf)).toEqual(['ok', 'ok', 'ERR_CALL_BUDGET']);
  });

  test('nought forbids', async () => {
    const { begin, sent } = desk({ servers: { web: { tools: { post: { maxCalls: 0 } } } } }, SERVERS);
    expect(codeOf(await begin().call('web.post'))).toBe('ERR_CALL_DENIED');
    const run = begin({ tools: { 'tickets.*': 0 } });
    expect([codeOf(await run.call('tickets.create')), codeOf(await run.call('tickets.create.many'))]).toEqual([
      'ERR_CALL_DENIED',
      'ERR_CALL_DENIED',
    ]);
    expect(sent).toEqual([]);
  });

  test('a limit of the call that means no tool is told, with the nearest', () => {
    const { begin } = desk({}, SERVERS);
    expect(begin({ tools: { 'tikets.create': 3 } }).policies.warnings).toEqual([
      {
        code: 'WARN_LIMIT_UNKNOWN',
        message: 'limits.tools names "tikets.create", which is no tool that there is. Did you mean "tickets.create"?',
      },
    ]);
    expect(begin({ tools: { 'tickets.*': 3 } }).policies.warnings).toEqual([]);
  });

  test('a call that is not sent does not count', async () => {
    const strict = tool('create', { inputSchema: { type: 'object', required: ['title'], properties: { title: { type: 'string' } } } });
    const { begin, sent } = desk({ servers: { tickets: { maxCalls: 1 } } }, { tickets: [strict] });
    const run = begin();
    expect(codeOf(await run.call('tickets.create', {}))).toBe('ERR_CALL_ARGUMENTS');
    expect(codeOf(await run.call('tickets.nothing', {}))).not.toBe('ERR_CALL_BUDGET');
    expect(codeOf(await run.call('tickets.create', { title: 'a' }))).toBe('ok');
    expect(codeOf(await run.call('tickets.create', { title: 'b' }))).toBe('ERR_CALL_BUDGET');
    expect(sent.filter(({ tool: name }) => name === 'create')).toHaveLength(1);
  });

  test('calls that come together never get past one, whatever the order and the answers', async () => {
    const names = fc.constantFrom('tickets.create', 'tickets.create.many', 'tickets.list', 'web.post');
    const calls = fc.array(fc.record({ name: names, together: fc.boolean() }), { maxLength: 30 });
    const budgets = fc.record({ server: fc.nat(8), name: fc.nat(4), glob: fc.nat(6), asked: fc.nat(6) });
    await fc.assert(
      fc.asyncProperty(calls, budgets, async (list, { server, name, glob, asked }) => {
        const tools = { create: { maxCalls: name }, 'create*': { maxCalls: glob } };
        const { begin, sent } = desk({ servers: { tickets: { maxCalls: server, tools } } }, SERVERS, () => new Error('no'));
        const run = begin({ tools: { 'tickets.create*': asked, '*.post': 2 } });
        const open: Promise<unknown>[] = [];
        for (const one of list) {
          open.push(run.call(one.name));
          if (!one.together) await Promise.all(open);
        }
        await Promise.all(open);
        const count = (server_: string, pattern: RegExp): number =>
          sent.filter((call) => call.server === server_ && pattern.test(call.tool)).length;
        expect(count('tickets', /./)).toBeLessThanOrEqual(server);
        expect(count('tickets', /^create$/)).toBeLessThanOrEqual(name);
        expect(count('tickets', /^create/)).toBeLessThanOrEqual(Math.min(glob, asked));
        expect(count('web', /./)).toBeLessThanOrEqual(2);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a call that a person has to approve', () => {
  const asking = (answer: Awaited<ReturnType<Approver['ask']>>): Approver & { questions: ApprovalQuestion[] } => {
    const questions: ApprovalQuestion[] = [];
    return { questions, ask: (question) => (questions.push(question), Promise.resolve(answer)) };
  };

  test('is sent when the person agrees, who is told what it is about', async () => {
    const { begin, sent } = desk({}, SERVERS);
    const approver = asking({ granted: true });
    expect(codeOf(await begin({ approver }).call('tickets.delete', { id: 7 }))).toBe('ok');
    expect(sent).toEqual([{ server: 'tickets', tool: 'delete', arguments: { id: 7 } }]);
    expect(approver.questions).toMatchObject([
      { server: 'tickets', tool: 'delete', arguments: { id: 7 }, principal: 'local', text: expect.stringContaining('return 1;') as string },
    ]);
  });

  test.each([
    ['refused', 'refused it'],
    ['dismissed', 'did not answer'],
    ['unavailable', 'this client cannot ask one'],
    ['busy', 'too many runs are waiting'],
  ] as const)('is not sent when the answer is "%s"', async (reason, words) => {
    const { begin, sent } = desk({}, SERVERS);
    const answer = await begin({ approver: asking({ granted: false, reason }) }).call('tickets.delete');
    expect(codeOf(answer)).toBe('ERR_CALL_APPROVAL');
    expect(wordsOf(answer)).toContain(words);
    expect(wordsOf(answer)).toContain('tickets.delete');
    expect(sent).toEqual([]);
  });

  test('where nobody can be asked, agent and operator are told what to do', async () => {
    const { begin, sent } = desk({ servers: { web: { policy: 'ask' } } }, SERVERS);
    const answer = await begin().call('web.post');
    expect(wordsOf(answer)).toMatch(/policies\.servers\.web\.policy.*Catch the error.*elicitation.*operator can allow/);
    expect(sent).toEqual([]);
  });

  test('is asked about each time, and only if nothing else speaks against it', async () => {
    const strict = tool('delete', { ...DESTRUCTIVE, inputSchema: { type: 'object', required: ['id'] } });
    const { begin } = desk({ servers: { tickets: { maxCalls: 2 } } }, { tickets: [strict] });
    const approver = asking({ granted: true });
    const run = begin({ approver });
    expect(codeOf(await run.call('tickets.delete', {}))).toBe('ERR_CALL_ARGUMENTS');
    expect(approver.questions).toHaveLength(0);
    await Promise.all([1, 2, 3].map((id) => run.call('tickets.delete', { id })));
    expect(approver.questions).toHaveLength(2);
  });
});

test('the servers that a call allows come before everything', async () => {
  const { begin, sent } = desk({ default: 'allow' }, SERVERS);
  expect(codeOf(await begin({ servers: ['web'] }).call('tickets.list'))).toBe('ERR_CALL_DENIED');
  expect(sent).toEqual([]);
});

test('whether anybody may be asked at all follows from the tools that there are', () => {
  const asks = (given: unknown, tools: ReturnType<typeof tool>[]): boolean => desk(given, {}).policing.asks(catalogOf({ tickets: tools }));
  expect(asks({}, [tool('list', READ_ONLY), tool('create')])).toBe(false);
  expect(asks({}, [tool('list', READ_ONLY), tool('delete', DESTRUCTIVE)])).toBe(true);
  expect(asks({ servers: { tickets: { tools: { 'd*': { policy: 'deny' } } } } }, [tool('delete', DESTRUCTIVE)])).toBe(false);
  expect(asks({ servers: { tickets: { tools: { list: { policy: 'ask' } } } } }, [tool('list', READ_ONLY)])).toBe(true);
});
