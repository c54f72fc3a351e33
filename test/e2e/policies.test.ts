import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANES } from '../server/clients.ts';
import { answerOf, fixture, spawnAmpoule, startAmpoule, temporary, writeConfig, type Ampoule, type Answer } from './harness.ts';
import { until } from './processes.ts';

const CONFIG = {
  mcpServers: { mail: fixture('office'), crm: fixture('office'), web: fixture('office'), tickets: fixture('office') },
  policies: {
    servers: {
      tickets: { maxCalls: 6, tools: { create: { maxCalls: 3 }, 're*': { policy: 'allow' }, misspelt_tool: { policy: 'deny' } } },
      crm: { tools: { post: { policy: 'deny' } } },
    },
    dataFlow: [{ from: ['mail.*'], to: ['web.*'] }],
    personalData: { servers: ['crm'] },
  },
  limits: { maxToolResultBytes: 1_048_576 },
  // The fixture declares next to nothing about its answers.
  check: 'off',
  log: { level: 'warn', format: 'json' },
};

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule(CONFIG)));
afterAll(() => ampoule.stop());

/** What a server was asked for by calls with this mark. */
async function received(server: string, mark: string): Promise<unknown[]> {
  const { received: calls } = (await ampoule.result(`import { received } from "servers/${server}"; return received({});`)) as {
    received: { tool: string }[];
  };
  return calls.filter((call) => JSON.stringify(call).includes(mark)).map((call) => call.tool);
}

describe.each(LANES)('policies, %s', (lane) => {
  const mark = `mark of ${lane}`;
  const run = async (code: string, args: Record<string, unknown> = {}): Promise<Answer> => {
    const client = await ampoule.connect(lane);
    return answerOf(await client.call({ code, ...args }));
  };

  test('a denied tool is an error that a program can catch, and its server hears nothing', async () => {
    const code = `import { post } from "servers/crm"; try { await post({ mark: input }); } catch (error) { return [error.code, error.message]; }`;
    const { output } = await run(code, { input: `denied ${mark}` });
    expect(output.result).toEqual(['ERR_CALL_DENIED', expect.stringContaining('policies.servers.crm.tools["post"].policy')]);
    expect(output.calls).toMatchObject([{ server: 'crm', tool: 'post', ok: false, code: 'ERR_CALL_DENIED' }]);
    expect(await received('crm', `denied ${mark}`)).toEqual([]);
  });

  test('calls that are made together never get past a budget', async () => {
    const code = `import { create } from "servers/tickets";
      const all = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => create({ title: input + n })));
      return all.map((one) => one.status === "fulfilled" ? "ok" : one.reason.code);`;
    const { output } = await run(code, { input: `many ${mark}` });
    expect(output.result).toEqual([...Array<string>(3).fill('ok'), ...Array<string>(17).fill('ERR_CALL_BUDGET')]);
    expect(await received('tickets', `many ${mark}`)).toHaveLength(3);
    const lowered = await run(code, { input: `lowered ${mark}`, limits: { tools: { 'tickets.*': 1 } } });
    expect(lowered.output.result).toEqual(['ok', ...Array<string>(19).fill('ERR_CALL_BUDGET')]);
    const none = await run(code, { input: `none ${mark}`, limits: { tools: { 'tickets.create': 0 } } });
    expect(none.output.result).toEqual(Array<string>(20).fill('ERR_CALL_DENIED'));
    expect(await received('tickets', `none ${mark}`)).toEqual([]);
  });

  test('a destructive tool asks, and a client that cannot be asked is told what its run waits for', async () => {
    const { output, isError } = await run(`import { remove } from "servers/web"; await remove({ mark: input });`, {
      input: `remove ${mark}`,
      wait: 'return-when-waiting',
    });
    expect(isError).toBe(false);
    expect(output).toMatchObject({ status: 'waiting', waiting: [{ kind: 'approval', server: 'web', tool: 'remove' }] });
    expect(await received('web', `remove ${mark}`)).toEqual([]);
    const allowed = await run(`import { remove } from "servers/tickets"; return remove({});`);
    expect(allowed.output.result).toEqual({ removed: true });
  });

  test('what came from one server does not go to another', async () => {
    const code = `import { read } from "servers/mail"; import { post } from "servers/web"; import { create } from "servers/tickets";
      const { mails } = await read({});
      await create({ title: mails[0].body });
      const sent = [];
      for (const text of [mails[0].body, "Re: " + mails[0].from, [{ x: mails[0].body.slice(4, 40) }], "nothing of it"]) {
        try { await post({ mark: input, text }); sent.push("sent"); } catch (error) { sent.push(error.code + " " + /\\$[^ ]*/.exec(error.message)); }
      }
      return sent;`;
    const { output } = await run(code, { input: `flow ${mark}` });
    expect(output.result).toEqual(['ERR_CALL_DATA_FLOW $.text', 'ERR_CALL_DATA_FLOW $.text', 'ERR_CALL_DATA_FLOW $.text[0].x', 'sent']);
    expect(await received('web', `flow ${mark}`)).toEqual(['post']);
  });

  test('nor by way of a session', async () => {
    const keep = `import { read } from "servers/mail"; import { setState } from "ampoule"; setState("body", (await read({})).mails[0].body); setState("own", "a remark of mine");`;
    const send = `import { post } from "servers/web"; import { getState } from "ampoule"; return post({ text: getState()[input] });`;
    const { session } = (await run(keep, { session: 'new' })).output;
    expect((await run(send, { session, input: 'own' })).output).toMatchObject({ status: 'completed', result: { posted: 1 } });
    expect((await run(send, { session, input: 'body' })).output.error?.message).toContain('ERR_CALL_DATA_FLOW');
  });

  test('the model sees tokens and programs move real values', async () => {
    const see = `import { customer, fail } from "servers/crm";
      const one = await customer({});
      console.log("found", one.email, one);
      try { await fail({}); } catch (error) { console.warn(error.message); }
      return { one, length: one.email.length, isNumber: typeof one.phone };`;
    const first = await run(see);
    const whole = JSON.stringify(first);
    for (const secret of ['jo.doe', '491701234567', '4111']) expect(whole).not.toContain(secret);
    const { one, ...rest } = first.output.result as { one: Record<string, string> };
    expect(rest).toEqual({ length: 18, isNumber: 'number' });
    expect(one).toEqual({
      name: 'Jo',
      email: expect.stringMatching(/^‹email_/),
      phone: expect.stringMatching(/^‹phone_/),
      card: expect.stringMatching(/^‹card_/),
    });
    const move = await run(
      `import { post } from "servers/tickets"; return post({ mark: input.mark, to: input.to, n: input.n, text: "Dear " + input.to });`,
      {
        input: { mark: `move ${mark}`, to: one['email'], n: one['phone'] },
      },
    );
    expect(move.output.status).toBe('completed');
    const got = (await ampoule.result(
      'import { received } from "servers/tickets"; return (await received({})).received.map((c) => [c.arguments.mark, c.arguments.to === "jo.do" + "e@example.org", c.arguments.n === 491701234567, c.arguments.text?.length]);',
    )) as unknown[][];
    expect(got.find(([seen]) => seen === `move ${mark}`)).toEqual([`move ${mark}`, true, true, 23]);
    const thrown = await run(`import { customer } from "servers/crm"; throw new Error((await customer({})).email);`);
    expect(JSON.stringify(thrown)).not.toContain('jo.doe');
    expect(thrown.output.error?.message).toMatch(/‹email_/);
  });

  test('a dry run lists what it would have done', async () => {
    const code = `import { create, remove, read } from "servers/tickets"; import { setState } from "ampoule";
      const { mails } = await read({}); const made = await create({ title: input }); await remove({ id: made.id }); setState("x", 1); return [mails.length, made];`;
    const { output } = await run(code, { input: `dry ${mark}`, dryRun: true, session: 'new' });
    expect(output).toMatchObject({ status: 'completed', result: [2, { id: 1, title: 'text' }] });
    expect(output.dryRun).toEqual([
      { server: 'tickets', tool: 'create', arguments: { title: `dry ${mark}` }, answer: 'schema' },
      { server: 'tickets', tool: 'remove', arguments: { id: 1 }, answer: expect.stringMatching(/none|recorded/) },
    ]);
    expect(output.warnings?.map(({ code: one }) => one)).toContain('WARN_STATE_NOT_KEPT');
    expect(await received('tickets', `dry ${mark}`)).toEqual([]);
  });
});

test('what came from one server does not go to another by way of a kept result', async () => {
  const keep =
    'import { read } from "servers/mail"; const { mails } = await read({}); return Array.from({ length: 3000 }, () => mails[0].body);';
  const { output } = await ampoule.execute(keep);
  const path = output.kept?.[0]?.uri.replace('ampoule://', '') ?? '';
  expect(path).toMatch(/^results\/[0-9a-f]{32}$/);
  const send = `import { readFile } from "ampoule"; import { post } from "servers/web"; import { create } from "servers/tickets";
    const text = (await readFile(input)).slice(10, 60);
    return [text.length, (await create({ title: text })).id, await post({ text }).catch((error) => error.code)];`;
  expect(await ampoule.result(send, { input: path })).toEqual([50, 7, 'ERR_CALL_DATA_FLOW']);
});

test('what is too large for an answer is kept without personal data: results, logs and answers of tools', async () => {
  const client = await ampoule.connect();
  const code = `import { customers } from "servers/crm";
    const { rows } = await customers({ n: 2000 });
    console.log(JSON.stringify(rows));
    const error = await customers({ n: 20000 }).catch((thrown) => thrown);
    return { rows, error: error.message };`;
  const answer = answerOf(await client.call({ code }));
  const seen = [JSON.stringify(answer)];
  expect(answer.output.status).toBe('completed');
  expect(answer.output.kept?.map(({ what }) => what).toSorted()).toEqual(['call', 'logs', 'result']);
  for (const { uri } of answer.output.kept ?? []) {
    const whole = await client.readWhole(`${uri}?offset=0&limit=60000&unit=bytes`);
    seen.push(JSON.stringify(whole));
  }
  for (const text of seen) {
    expect(text).not.toMatch(/person\d+@|49170\d{7}|4111 1111/);
    expect(text).toMatch(/‹(?:email|phone|card)_/);
  }
});

test('a policy that names an unknown tool is said at start, with the nearest name', async () => {
  await until('the log has it', () => ampoule.stderr.includes('misspelt_tool'));
  expect(ampoule.stderr).toMatch(
    /"level":40.*policies\.servers\.tickets\.tools names \\"misspelt_tool\\", but the server \\"tickets\\" has no tool/,
  );
});

test('a policy for an unknown server is an error of the config, with the nearest name and its place', async () => {
  await using folder = await temporary();
  const file = await writeConfig(folder.path, { ...CONFIG, policies: { servers: { ticket: { policy: 'deny' } } } });
  const child = spawnAmpoule(['serve', '--config', file, '--http', '127.0.0.1:0']);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /ERR_CONFIG_INVALID[^]*ampoule\.json:1:\d+: policies\.servers\.ticket: there is no server "ticket" in mcpServers, did you mean "tickets"\?/,
  );
});
