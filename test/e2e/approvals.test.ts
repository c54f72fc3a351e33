import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectAsked, type AskedClient, type Person, type PersonAnswer, type Target } from '../server/asked-client.ts';
import { cli } from '../cli/run-cli.ts';
import type { Lane } from '../server/clients.ts';
import { answerOf, fixture, MAIN, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';

const CONFIG = {
  mcpServers: { tickets: fixture('office') },
  policies: { servers: { tickets: { tools: { create: { policy: 'ask' } } } }, personalData: { servers: ['tickets'] } },
  limits: { waitMs: 4_000 },
  check: 'off',
  log: { level: 'error', format: 'json' },
};
const YES: PersonAnswer = { action: 'accept', content: { approve: true } };
const REMOVE =
  'import { remove } from "servers/tickets"; try { return await remove({ id: input }); } catch (error) { return error.code + " " + error.message; }';
const RECEIVED =
  'import { received } from "servers/tickets"; return (await received({})).received.map((call) => [call.tool, call.arguments]);';

interface Way {
  readonly lane: Lane;
  readonly over: 'HTTP' | 'stdio';
}
const ASKED: Way[] = [
  { lane: 'v2 client, 2026-07-28', over: 'HTTP' },
  { lane: 'v2 client, 2026-07-28', over: 'stdio' },
  { lane: 'v2 client, 2025-11-25', over: 'stdio' },
  { lane: 'v1 client', over: 'stdio' },
];

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule(CONFIG)));
afterAll(() => ampoule.stop());

/** A server of its own over stdio, with whoever is asked just then. */
interface StdioServer {
  person: Person;
  readonly client: AskedClient;
}

/** One for each lane: a server takes seconds to start. */
const stdio = new Map<Lane, Promise<StdioServer>>();
const folders: AsyncDisposable[] = [];
afterAll(async () => {
  await Promise.all([...stdio.values()].map(async (server) => (await server).client.close()));
  for (const folder of folders) await folder[Symbol.asyncDispose]();
});

async function startStdio(lane: Lane): Promise<StdioServer> {
  const folder = await temporary();
  folders.push(folder);
  const target: Target = { program: MAIN, args: ['serve', '--stdio', '--config', await writeConfig(folder.path, CONFIG)] };
  const client = await connectAsked(lane, target, (question) => server.person(question));
  const server: StdioServer = { client, person: () => YES };
  return server;
}

async function withClient<T>({ lane, over }: Way, person: Person, work: (client: AskedClient) => Promise<T>): Promise<T> {
  if (over === 'stdio') {
    const started = stdio.get(lane) ?? startStdio(lane);
    stdio.set(lane, started);
    const server = await started;
    server.person = person;
    return work(server.client);
  }
  const client = await connectAsked(lane, { url: ampoule.url }, person);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

describe.each(ASKED)('a person is asked: $lane over $over', (way) => {
  test('yes makes the call, no does not, and nothing else is a yes', async () => {
    const questions: string[] = [];
    const answers: PersonAnswer[] = [YES, { action: 'decline' }, { action: 'cancel' }, { action: 'accept', content: { approve: false } }];
    await withClient(
      way,
      (message) => (questions.push(message), answers[questions.length - 1] ?? YES),
      async (client) => {
        const results: unknown[] = [];
        for (let n = 0; n < 4; n++) {
          const { output } = answerOf(await client.call({ code: REMOVE, input: `${way.lane} ${way.over} ${n}` }));
          results.push(output.result ?? output.status);
        }
        expect(results).toEqual([
          { removed: true },
          expect.stringMatching(/^ERR_CALL_APPROVAL .*refused/),
          // A form that was closed is no answer: the question is the operator's then, and the run goes on without the request.
          expect.stringMatching(/^(waiting|running)$/),
          expect.stringMatching(/^ERR_CALL_APPROVAL .*refused/),
        ]);
        expect(questions[0]).toContain('tickets.remove');
        expect(questions[0]).toContain(`Arguments: {"id":"${way.lane} ${way.over} 0"}`);
        expect(questions[0]).toContain('import { remove } from "servers/tickets"');
        const received = answerOf(await client.call({ code: RECEIVED })).output.result as [string, unknown][];
        expect(received.filter(([, args]) => JSON.stringify(args).includes(`${way.lane} ${way.over}`))).toEqual([
          ['remove', { id: `${way.lane} ${way.over} 0` }],
        ]);
      },
    );
  });

  test('each call is judged by itself, one after the other and together', async () => {
    let asked = 0;
    const code = `import { remove, create } from "servers/tickets";
      const done = [];
      for (const id of [1, 2]) done.push(await remove({ id }).then(() => "ok", (error) => error.code));
      const more = await Promise.allSettled([remove({ id: 3 }), create({ title: "x" }), remove({ id: 4 })]);
      return [...done, ...more.map((one) => one.status)];`;
    await withClient(
      way,
      () => (++asked === 2 ? { action: 'decline' } : YES),
      async (client) => {
        expect(answerOf(await client.call({ code })).output.result).toEqual([
          'ok',
          'ERR_CALL_APPROVAL',
          'fulfilled',
          'fulfilled',
          'fulfilled',
        ]);
        expect(asked).toBe(5);
      },
    );
  });
});

test('a question shows tokens and no control characters', async () => {
  let question = '';
  const code =
    'import { customer, remove } from "servers/tickets"; const { email } = await customer({}); return remove({ to: email, text: "a\\u001b[31mb\\u202e" });';
  await withClient(
    ASKED[0] as Way,
    (message) => ((question = message), YES),
    async (client) => {
      const answer = answerOf(await client.call({ code }));
      expect(answer.output.result).toEqual({ removed: true });
    },
  );
  expect(question).toMatch(/"to":"‹email_/);
  expect(question).not.toContain('jo.doe');
  // oxlint-disable-next-line no-control-regex -- it is what must not be there
  expect(question).not.toMatch(/[\u0000-\u0009\u001b\u202e]/);
});

test('a run whose client never comes back ends by its waiting time, and one whose client goes ends at once', async () => {
  const never: Person = () => new Promise(() => undefined);
  await withClient(ASKED[0] as Way, never, async (client) => {
    void client.call({ code: REMOVE, input: 'never' }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  // The one place to run in is free again: a run that nobody comes back for holds memory, and no worker.
  expect(await ampoule.result('return 2 + 2;')).toBe(4);
  await withClient(ASKED[3] as Way, never, async (client) => {
    const cancel = new AbortController();
    const call = client.call({ code: REMOVE, input: 'cancelled' }, cancel.signal);
    setTimeout(() => cancel.abort(), 500);
    await expect(call).rejects.toThrow(/abort/i);
    expect(answerOf(await client.call({ code: 'return 2 + 2;' })).output.result).toBe(4);
  });
});

test('an answer that comes too late finds the run as it ended', async () => {
  const late: Person = () => new Promise((resolve) => setTimeout(() => resolve(YES), 6_000));
  await withClient(ASKED[0] as Way, late, async (client) => {
    const { output } = answerOf(await client.call({ code: REMOVE, input: 'late' }));
    expect(output.error?.code).toBe('ERR_EXECUTE_WAITING_TIME');
  });
  const received = (await ampoule.result(RECEIVED)) as [string, unknown][];
  expect(JSON.stringify(received)).not.toMatch(/late|never/);
});

test.each([
  ['v2 client, 2025-11-25', 'approve', { removed: true }],
  ['v1 client', 'refuse', expect.stringMatching(/^ERR_CALL_APPROVAL .*refused/)],
] as const)('over HTTP a %s cannot be asked: it hears what the run waits for, and the operator says %s', async (lane, word, expected) => {
  let asked = 0;
  await withClient(
    { lane, over: 'HTTP' },
    () => (asked++, YES),
    async (client) => {
      const { output } = answerOf(await client.call({ code: REMOVE, input: 'http', wait: 'return-when-waiting' }));
      expect(output).toMatchObject({ status: 'waiting', waiting: [{ kind: 'approval', server: 'tickets', tool: 'remove' }] });
      const [waits] = output.waiting ?? [];
      const id = waits?.kind === 'approval' ? waits.approval : '';
      expect(await cli(['approvals', word, id, '--config', join(ampoule.directory, 'ampoule.json')])).toMatchObject({ code: 0 });
      const { executionId } = output;
      expect(answerOf(await client.callTool('wait_execution', { executionId })).output.result).toEqual(expected);
      expect(asked).toBe(0);
    },
  );
});
