import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { cli } from '../cli/run-cli.ts';
import { connect } from '../server/clients.ts';
import { begin, endOf, kill, Place, untilWaiting } from './executions.ts';
import { answerOf, fixture, MAIN } from './harness.ts';
import { living, until } from './processes.ts';

const SLEEP = (ms: number): string => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`;
const CALL = (tool: string, name: string): string => `await gates.${tool}({ name: "${name}" })`;
const GATES = 'import * as gates from "servers/gates";';
const CODE_OF = (call: string): string => `try { ${call}; return "made"; } catch (error) { return error.code; }`;

/** What `ampoule executions show --json` says of calls that were sent again. */
async function sentAgain({ directory }: Place, { executionId }: ExecuteOutput): Promise<object[]> {
  const { stdout } = await cli(['executions', 'show', executionId, '--json', '--config', join(directory, 'ampoule.json')]);
  const { story } = JSON.parse(stdout) as { story: { what: string; call: number; text: string }[] };
  return story.filter(({ what }) => what === 'sent again').map(({ call, text }) => ({ call, text }));
}

describe('a server that is killed', () => {
  test('goes on with all that it had accepted when it is started again, with its policies as strict as they were', async () => {
    await using place = await Place.open();
    const config = {
      mcpServers: { crm: fixture('office'), web: fixture('office') },
      limits: { hibernateAfterMs: 0 },
      policies: { dataFlow: [{ from: ['crm.*'], to: ['web.*'] }], personalData: { servers: ['crm'] } },
    };
    const first = await place.start(config);
    const client = await first.connect();
    const CRM = 'import * as crm from "servers/crm"; import * as web from "servers/web";';
    const session = await client.call({ code: 'import { setState } from "ampoule"; setState("n", 1);', session: 'new' });
    const { session: handle } = session.structuredContent as { session: string };
    place.open('quick');
    const begun = {
      asleep: await begin(client, `const began = Date.now(); ${SLEEP(3_000)} return Date.now() - began >= 3000;`),
      repeated: await begin(client, `${GATES} return ${CALL('look', 'repeated')};`),
      idempotent: await begin(client, `${GATES} return ${CALL('put', 'idempotent')};`),
      interrupted: await begin(client, `${GATES} ${CODE_OF(CALL('make', 'interrupted'))}`),
      once: await begin(client, `${GATES} const made = ${CALL('make', 'quick')}; ${SLEEP(3_000)} return made;`),
      state: await begin(
        client,
        `import { getState } from "ampoule"; const before = getState().n; ${SLEEP(3_000)} getState().n = before + 1; return before;`,
        { session: handle },
      ),
      personal: await begin(client, `${CRM} const { email } = await crm.customer(); ${SLEEP(3_000)} console.log(email); return { email };`),
      flow: await begin(client, `${CRM} const { email } = await crm.customer(); ${SLEEP(3_000)} ${CODE_OF('await web.post({ email })')}`),
      budget: await begin(client, `${GATES} ${CALL('put', 'quick')}; ${SLEEP(3_000)} ${CODE_OF(CALL('put', 'quick'))}`, {
        limits: { tools: { 'gates.put': 1 } },
      }),
      kept: await begin(client, `${GATES} ${SLEEP(3_000)} return (await gates.list({ n: 20000 })).rows;`),
      dry: await begin(client, `${GATES} ${CALL('make', 'never')}; ${SLEEP(3_000)} return "dry";`, { dryRun: true }),
      computing: await begin(client, `${SLEEP(1)} ${GATES} return ${CALL('look', 'computing')};`),
    };
    await until('the calls are sent', () => ['repeated', 'idempotent', 'interrupted'].every((name) => place.sent(name).length === 1));
    // A call whose answer was not written down may be made again.
    for (const run of [begun.once, begun.budget]) {
      await until('its answer is there', async () => (await untilWaiting(client, run)).waiting?.[0]?.kind === 'timer');
    }
    await kill(first);

    const second = await place.start(config);
    try {
      const again = await second.connect();
      for (const name of ['repeated', 'idempotent', 'computing']) place.open(name);
      const ended = async (name: keyof typeof begun): Promise<ExecuteOutput> => endOf(again, begun[name]);
      expect(await ended('asleep')).toMatchObject({ status: 'completed', result: true });
      expect(await ended('repeated')).toMatchObject({ status: 'completed', result: { name: 'repeated' } });
      expect(await ended('idempotent')).toMatchObject({ status: 'completed', result: { name: 'idempotent' } });
      expect(await ended('interrupted')).toMatchObject({ status: 'completed', result: 'ERR_CALL_INTERRUPTED' });
      expect(await ended('once')).toMatchObject({ status: 'completed', result: { name: 'quick' } });
      expect(await ended('state')).toMatchObject({ status: 'completed', result: 1, session: handle });
      const { result, logs } = await ended('personal');
      expect([JSON.stringify(result), JSON.stringify(logs)]).toEqual([
        expect.stringMatching(/^\{"email":"‹email_[0-9a-f]+›"\}$/),
        expect.stringMatching(/‹email_[0-9a-f]+›/),
      ]);
      expect(await ended('flow')).toMatchObject({ status: 'completed', result: 'ERR_CALL_DATA_FLOW' });
      expect(await ended('budget')).toMatchObject({ status: 'completed', result: 'ERR_CALL_BUDGET' });
      expect((await ended('kept')).kept).toMatchObject([{ what: 'result' }]);
      expect(await ended('dry')).toMatchObject({ status: 'completed', dryRun: [{ server: 'gates', tool: 'make' }] });
      expect(await ended('computing')).toMatchObject({ status: 'completed', result: { name: 'computing' } });
      const sent = ['repeated', 'idempotent', 'interrupted', 'never'].map((name) => place.sent(name).join());
      expect(sent).toEqual(['look,look', 'put,put', 'make', '']);
      expect(await sentAgain(place, begun.repeated)).toEqual([
        { call: 1, text: 'gates.look: no answer had come, and its tool may be called again' },
      ]);
      expect(await sentAgain(place, begun.interrupted)).toEqual([]);
      expect(place.sent('quick').toSorted()).toEqual(['make', 'put']);
      const state = await again.call({ code: 'import { getState } from "ampoule"; return getState().n;', session: handle });
      expect(state.structuredContent).toMatchObject({ result: 2 });
    } finally {
      await second.stop();
    }
  });
});

describe('a server that is told to end', () => {
  test('answers open requests with what to wait for, puts their runs away, and wakes them when it is started again', async () => {
    await using place = await Place.open();
    // Nothing is put away before by itself, but for the timer that is further off.
    const config = { limits: { hibernateAfterMs: 3_500 } };
    const first = await place.start(config);
    const client = await first.connect();
    const open = client.call({ code: `${GATES} return ${CALL('look', 'open')};` });
    const asleep = await begin(client, `${SLEEP(4_000)} return "woken";`, { wait: 'return-when-waiting', answerAfterMs: 60_000 });
    expect(asleep).toMatchObject({ status: 'waiting', waiting: [{ kind: 'timer' }] });
    await until('the call is sent', () => place.sent('open').length === 1);
    await first.stop();
    const { output } = answerOf(await open);
    expect(output).toMatchObject({ status: expect.stringMatching(/^(?:waiting|running)$/) });
    place.open('open');
    const second = await place.start(config);
    try {
      const again = await second.connect();
      expect(await endOf(again, output)).toMatchObject({ status: 'completed', result: { name: 'open' } });
      expect(await endOf(again, asleep)).toMatchObject({ status: 'completed', result: 'woken' });
      const database = new DatabaseSync(join(place.directory, 'cache', 'executions.db'), { readOnly: true });
      const counts = database
        .prepare('SELECT restarts, hibernations > 0 AS wasAsleep FROM executions WHERE id = ?')
        .get(output.executionId);
      database.close();
      expect(counts).toMatchObject({ restarts: 0, wasAsleep: 1 });
    } finally {
      await second.stop();
    }
  });

  test('over stdio leaves its executions to whoever serves the same config next', async () => {
    await using place = await Place.open();
    const http = await place.start();
    await http.stop();
    const program = { program: MAIN, args: ['serve', '--stdio', '--config', `${place.directory}/ampoule.json`] };
    const first = await connect('v1 client', program);
    const asleep = await begin(first, `${SLEEP(1_000)} return "woken";`);
    await first.close();
    const second = await connect('v2 client, 2026-07-28', program);
    try {
      expect(await endOf(second, asleep)).toMatchObject({ status: 'completed', result: 'woken' });
    } finally {
      await second.close();
    }
  });
});

describe('one server', () => {
  test('answers who has made a call when the end is written down, and everybody else while it cannot be', async () => {
    await using place = await Place.open();
    const ampoule = await place.start();
    try {
      const client = await ampoule.connect();
      const answer = client.call({ code: `${GATES} return ${CALL('make', 'made')};` });
      await until('the call is sent', () => place.sent('made').length === 1);
      using other = new DatabaseSync(join(place.directory, 'cache', 'executions.db'), { timeout: 5_000 });
      other.exec('BEGIN IMMEDIATE');
      place.open('made');
      const others = async (): Promise<unknown[]> => {
        const results: unknown[] = [];
        for (const n of [1, 2, 3]) results.push(answerOf(await client.call({ code: `return ${n};` })).output.result);
        return results;
      };
      expect(await Promise.race([answer, others()])).toEqual([1, 2, 3]);
      other.exec('COMMIT');
      expect(answerOf(await answer).output).toMatchObject({ status: 'completed', result: { name: 'made' } });
    } finally {
      await ampoule.stop();
    }
  });

  test('makes each call once when its executor is killed, and tells nobody but its principal of an execution', async () => {
    await using place = await Place.open();
    const ampoule = await place.start({ limits: { hibernateAfterMs: 60_000 } });
    try {
      const client = await ampoule.connect();
      const pending = await begin(client, `${GATES} return ${CALL('make', 'pending')};`);
      const cancelled = await begin(client, `${GATES} return ${CALL('look', 'cancelled')};`);
      await until('the calls are sent', () => place.sent('pending').length === 1 && place.sent('cancelled').length === 1);
      const executor = ampoule.executor();
      process.kill(executor, 'SIGKILL');
      await until('the executor is gone', () => living([executor]).length === 0);
      place.open('pending');
      expect(await endOf(client, pending)).toMatchObject({ status: 'completed', result: { name: 'pending' } });
      expect(place.sent('pending')).toEqual(['make']);
      const ended = answerOf(await client.callTool('cancel_execution', { executionId: cancelled.executionId }));
      expect(ended.output).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_CANCELLED' } });
      expect(await endOf(client, cancelled)).toEqual(ended.output);
      for (const executionId of ['exe_00000000-0000-0000-0000-000000000000', 'nonsense']) {
        const { output } = answerOf(await client.callTool('wait_execution', { executionId }));
        expect(output).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTION_UNKNOWN' } });
      }
    } finally {
      await ampoule.stop();
    }
  });

  test('ends an attached run with its request, and leaves a detached one alone', async () => {
    await using place = await Place.open();
    const ampoule = await place.start();
    try {
      const client = await ampoule.connect();
      const gone = new AbortController();
      const attached = client.call({ code: `${GATES} return ${CALL('look', 'attached')};` }, { signal: gone.signal });
      const detached = await begin(client, `${GATES} return ${CALL('look', 'detached')};`);
      await until('the calls are sent', () => place.sent('attached').length === 1 && place.sent('detached').length === 1);
      gone.abort();
      await expect(attached).rejects.toThrow(/abort/i);
      expect(await untilWaiting(client, detached)).toMatchObject({ waiting: [{ kind: 'tool', server: 'gates', tool: 'look' }] });
      place.open('detached');
      expect(await endOf(client, detached)).toMatchObject({ status: 'completed' });
    } finally {
      await ampoule.stop();
    }
  });
});

describe('two servers of one folder', () => {
  test('of one group carry on for each other, and can wait for and cancel what the other does; another group does not', async () => {
    await using place = await Place.open();
    const config = { limits: { hibernateAfterMs: 100 } };
    const first = await place.start(config);
    const second = await place.start(config);
    const [client, other] = [await first.connect(), await second.connect()];
    const pending = await begin(client, `${GATES} return ${CALL('look', 'pending')};`);
    const cancelled = await begin(client, `${GATES} return ${CALL('look', 'cancelled')};`);
    await untilWaiting(client, cancelled);
    expect(await untilWaiting(other, pending)).toMatchObject({ waiting: [{ kind: 'tool', tool: 'look' }] });
    const ended = answerOf(await other.callTool('cancel_execution', { executionId: cancelled.executionId }));
    expect(ended.output).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_CANCELLED' } });
    await kill(first);
    place.open('pending');
    expect(await endOf(other, pending)).toMatchObject({ status: 'completed', result: { name: 'pending' } });
    const left = await begin(other, `${SLEEP(2_000)} return "left";`);
    await second.stop();
    const stranger = await place.start({ ...config, executions: { group: 'strangers' } });
    const { output } = answerOf(
      await (await stranger.connect()).callTool('wait_execution', { executionId: left.executionId, timeoutMs: 3_000 }),
    );
    expect(output.status).toMatch(/^(?:waiting|running)$/);
    await stranger.stop();
    const third = await place.start(config);
    expect(await endOf(await third.connect(), left)).toMatchObject({ status: 'completed', result: 'left' });
    await third.stop();
  }, 120_000);
});
