import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKeyRegister } from '../../src/access/key-register.ts';
import { logIn, REDIRECT, type LoggedIn } from '../access/oauth-clients.ts';
import { startOidc, type OidcFixture } from '../access/oidc-fixture.ts';
import { LANES, type Lane } from '../server/clients.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from '../server/raw-http.ts';
import { CAN_LOOK, textsInMemory } from './process-memory.ts';
import { answerOf, fixture, MAIN, packaged, spawnAmpoule, startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';

const AUDIENCE = 'https://ampoule.example/mcp';
const KNOWN_CLIENT = { client_id: 'known-client', redirect_uris: [REDIRECT] };
const run = promisify(execFile);

/** An upstream server that writes down all that comes to it. */
interface Recorder extends AsyncDisposable {
  readonly url: string;
  readonly headers: IncomingHttpHeaders[];
  readonly bodies: string[];
}

async function startRecorder(): Promise<Recorder> {
  const headers: IncomingHttpHeaders[] = [];
  const bodies: string[] = [];
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'recorder', version: '1' });
    server.registerTool('record', {}, () => ({ content: [{ type: 'text', text: 'recorded' }] }));
    server.registerTool('wipe', {}, () => ({ content: [{ type: 'text', text: 'wiped' }] }));
    return server;
  });
  const node = toNodeHandler(handler);
  const server = createServer((req, res) => {
    headers.push(req.headers);
    void (async () => {
      const text = Buffer.concat((await req.toArray()) as Buffer[]).toString();
      bodies.push(text);
      await node(Object.assign(req, {}) as Parameters<typeof node>[0], res, text === '' ? undefined : (JSON.parse(text) as unknown));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    headers,
    bodies,
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

let oidc: OidcFixture;
let recorder: Recorder;
let ampoule: Ampoule;
const people: LoggedIn[] = [];

/** A key that another process than the server makes. */
function keyFor(name: string, tools?: readonly string[]): string {
  const register = openKeyRegister(join(ampoule.directory, 'cache', 'keys.db'));
  try {
    return register.create({ name, ...(tools && { tools }) }).key;
  } finally {
    register.close();
  }
}

/** `ampoule keys ...` beside the server. */
async function keys(...args: string[]): Promise<string> {
  const config = join(ampoule.directory, 'ampoule.json');
  const { stdout } = await run(process.execPath, [MAIN, 'keys', ...args, '--config', config], { timeout: 60_000 });
  return stdout.trim();
}

async function person(lane: Lane, login: string, clientId?: string): Promise<LoggedIn> {
  const loggedIn = await logIn(lane, ampoule.url, oidc, login, clientId);
  people.push(loggedIn);
  return loggedIn;
}

/** Calls execute_code with a key or token, from nothing but HTTP. */
async function execute(token: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const headers = { ...JSON_TYPE, 'mcp-protocol-version': '2025-11-25', authorization: `Bearer ${token}` };
  const answer = await send(ampoule.url, 'POST', headers, callBody(args));
  expect(answer.status).toBe(200);
  const data = /^data: (.*)$/m.exec(answer.body)?.[1] ?? '{}';
  return (JSON.parse(data) as { result: { structuredContent: Record<string, unknown> } }).result.structuredContent;
}

beforeAll(async () => {
  oidc = await startOidc({ audience: AUDIENCE, scopes: ['tools', 'reading'], client: KNOWN_CLIENT });
  recorder = await startRecorder();
  ampoule = await startAmpoule({
    mcpServers: { recorder: { url: recorder.url }, everything: packaged('everything'), tickets: fixture('office') },
    auth: {
      keys: true,
      oauth: {
        issuer: oidc.issuer,
        audience: AUDIENCE,
        scopes: { tools: ['*'], reading: ['recorder.record'], openid: ['recorder.record'] },
      },
    },
    skills: 'on',
    limits: { maxResultBytes: 1_024 },
  });
});
afterAll(async () => {
  await Promise.allSettled(people.map((client) => client.close()));
  await ampoule.stop();
  await recorder[Symbol.asyncDispose]();
  await oidc[Symbol.asyncDispose]();
});

describe.each(LANES)('from zero to an authenticated call: %s', (lane) => {
  test.each([
    ['registers itself', undefined],
    ['is known already', KNOWN_CLIENT.client_id],
  ])('a client that %s finds the issuer, logs its user in with PKCE, and runs a program', async (_what, clientId) => {
    oidc.asked.length = 0;
    const client = await person(lane, 'ann', clientId);
    expect(client.clientId === KNOWN_CLIENT.client_id).toBe(clientId !== undefined);
    const [authorization, token] = [
      oidc.asked.find(({ path }) => path === 'authorization'),
      oidc.asked.find(({ path }) => path === 'token'),
    ];
    expect(authorization?.params).toMatchObject({ code_challenge_method: 'S256', resource: ampoule.url });
    expect(String(authorization?.params['scope'])).toBe('tools reading openid');
    expect(token?.params).toMatchObject({ grant_type: 'authorization_code', resource: ampoule.url });
    const answer = answerOf(await client.call({ code: 'import { record } from "servers/recorder"; return [await record({}), 6 * 7];' }));
    expect(answer.output).toMatchObject({ status: 'completed', result: ['recorded', 42] });
  });
});

describe('what belongs to somebody', () => {
  const OTHERS = 'is unknown to another principal';

  test(`a session ${OTHERS}, and to the same name behind a key`, async () => {
    const [ann, ben] = [await person('v1 client', 'ann'), await person('v1 client', 'ben')];
    const key = keyFor('ann');
    const code = 'import { getState, setState } from "ampoule"; setState("mine", 1); return getState();';
    const { session } = answerOf(await ann.call({ code, session: 'new' })).output;
    const read = { code: 'import { getState } from "ampoule"; return getState();', session };
    expect(answerOf(await ann.call(read)).output.result).toEqual({ mine: 1 });
    expect(answerOf(await ben.call(read)).output.error?.code).toBe('ERR_SESSION_UNKNOWN');
    expect(await execute(key, read)).toMatchObject({ error: { code: 'ERR_SESSION_UNKNOWN' } });
    const held = (await execute(key, { code, session: 'new' }))['session'];
    expect(await execute(key, { ...read, session: held })).toMatchObject({ result: { mine: 1 } });
    expect(answerOf(await ann.call({ ...read, session: held })).output.error?.code).toBe('ERR_SESSION_UNKNOWN');
  });

  test(`a kept result ${OTHERS}, as a resource and as a file`, async () => {
    const [first, second] = [keyFor('first'), keyFor('second')];
    const answer = await execute(first, { code: 'return Array.from({ length: 500 }, (_, n) => `line ${n}`);' });
    const uri = /ampoule:\/\/results\/[\w-]+/.exec(JSON.stringify(answer))?.[0] ?? '';
    const file = /results\/[\w.-]+/.exec(uri)?.[0] ?? '';
    const read = async (token: string): Promise<string> =>
      (await send(ampoule.url, 'POST', { ...JSON_TYPE, authorization: `Bearer ${token}` }, rpc('resources/read', { uri }))).body;
    expect(await read(first)).toContain('line 0');
    expect(await read(second)).toContain('ERR_RESULT_UNKNOWN');
    const readFile = { code: `import { readFile } from "ampoule"; return (await readFile("${file}")).length;` };
    expect((await execute(second, readFile))['error']).toBeDefined();
  });

  test(`a saved skill ${OTHERS}`, async () => {
    const [first, second] = [keyFor('author'), keyFor('reader')];
    const code = 'export function half(n: number): number { return n / 2; }';
    const save = rpc('tools/call', { name: 'save_skill', arguments: { name: 'half', description: 'Halves a number', code } });
    const saved = await send(ampoule.url, 'POST', { ...JSON_TYPE, authorization: `Bearer ${first}` }, save);
    expect(saved.body).toContain('half');
    const use = { code: 'import { half } from "skills/half"; return half(84);' };
    expect(await execute(first, use)).toMatchObject({ result: 42 });
    expect(await execute(second, use)).toMatchObject({ status: 'failed' });
  });

  test(`a run that waits for a person ${OTHERS}`, async () => {
    const [first, second] = [keyFor('asker'), keyFor('meddler')];
    const headers = { ...JSON_TYPE, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'execute_code' };
    const code = 'import { remove } from "servers/tickets"; return remove({ id: "7" });';
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
    };
    const call = async (key: string, more: object = {}): Promise<string> => {
      const body = rpc('tools/call', { name: 'execute_code', arguments: { code }, _meta, ...more });
      return (await send(ampoule.url, 'POST', { ...headers, authorization: `Bearer ${key}` }, body)).body;
    };
    const asked = await call(first);
    const requestState = /"requestState":"(exe_[\w.-]+)"/.exec(asked)?.[1];
    const id = /"(apr_[\da-f]+)":/.exec(asked)?.[1] ?? '';
    expect([requestState, id]).not.toContain(undefined);
    const inputResponses = { [id]: { action: 'accept', content: { approve: true } } };
    expect(await call(second, { requestState, inputResponses })).toContain('"code":-32602');
    expect(await call(first, { requestState, inputResponses })).toContain('"removed":true');
  });
});

describe('a grant', () => {
  test('of a key lets a program call its tools, and no others by whatever name', async () => {
    const key = keyFor('narrow', ['recorder.rec*']);
    const code = `
      import { callTool } from "ampoule";
      import { record, wipe } from "servers/recorder";
      import { getSum } from "servers/everything";
      const denied = [() => wipe({}), () => getSum({ a: 1, b: 2 }), () => callTool("recorder", "wipe", {}), () => callTool("nowhere", "x", {})];
      const codes = await Promise.all(denied.map((call) => call().then(() => "called", (error) => error.code)));
      return { ok: await record({}), codes };`;
    const before = recorder.bodies.length;
    expect(await execute(key, { code })).toMatchObject({
      result: { ok: 'recorded', codes: Array.from({ length: 4 }, () => 'ERR_CALL_DENIED') },
    });
    expect(recorder.bodies.slice(before).join()).not.toContain('wipe');
    const search = async (query: string): Promise<string> => {
      const body = rpc('tools/call', { name: 'search_tools', arguments: { query } });
      return (await send(ampoule.url, 'POST', { ...JSON_TYPE, authorization: `Bearer ${key}` }, body)).body;
    };
    expect(await search('record')).toContain('servers/recorder');
    expect(await search('wipe')).toContain('There are 1 that your key or token may not call.');
  });
});

test('no token of a client goes to an upstream server, in whatever way, or into the environment of a process of ours', async () => {
  const ann = await person('v2 client, 2026-07-28', 'ann');
  const key = keyFor('traveller');
  const code =
    'import { getEnv } from "servers/everything"; import { record } from "servers/recorder"; await record({}); return getEnv({});';
  const environments = [await ann.call({ code }), await execute(key, { code })].map((output) => JSON.stringify(output));
  for (const environment of environments) expect(environment).toContain('"PATH"');
  const executor = readFileSync(`/proc/${ampoule.executor()}/environ`, 'latin1');
  const seen = [JSON.stringify(recorder.headers), ...recorder.bodies, ...environments, executor, ampoule.stderr].join('\n');
  expect(recorder.headers.length).toBeGreaterThan(0);
  expect(recorder.headers.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  for (const secret of [ann.token, ann.token.split('.')[2] ?? '', key]) expect(seen).not.toContain(secret);
});

test('an ID token of the same login is refused', async () => {
  const ann = await person('v1 client', 'ann');
  expect(ann.idToken).toMatch(/^ey/);
  const answer = await send(ampoule.url, 'POST', { ...JSON_TYPE, authorization: `Bearer ${ann.idToken}` }, LIST);
  expect(answer.status).toBe(401);
});

test('a question to a person is closed when the key of its run is revoked', async () => {
  const command = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [MAIN, ...args, '--config', join(ampoule.directory, 'ampoule.json')])).stdout;
  const key = keyFor('leaver');
  const code = 'import { remove } from "servers/tickets"; return remove({ id: "8" });';
  expect(await execute(key, { code, wait: 'return-when-waiting' })).toMatchObject({ status: 'waiting' });
  const open = (): Promise<string> => command('approvals', 'list', '--principal', 'key:leaver');
  await expect.poll(open, { timeout: 20_000 }).toContain('1 approval is open.');
  await command('keys', 'revoke', 'leaver');
  await expect.poll(open, { timeout: 20_000 }).toBe('No approvals are open.\n');
});

test('a key works from the moment it is made until the moment it is revoked, in a server that runs', async () => {
  const key = await keys('create', 'brief', '--expires', '1h');
  expect(await execute(key, { code: 'return 1;' })).toMatchObject({ result: 1 });
  const listed = JSON.parse(await keys('list', '--json')) as { name: string; state: string; lastUsed: string | null }[];
  expect(listed.find(({ name }) => name === 'brief')).toMatchObject({ state: 'good', lastUsed: expect.stringMatching(/^\d{4}-/) });
  expect(await keys('revoke', 'brief')).toBe('1 key revoked.');
  const answer = await send(ampoule.url, 'POST', { ...JSON_TYPE, authorization: `Bearer ${key}` }, LIST);
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 401, body: expect.stringContaining('The key was revoked.') });
});

test('without authentication the command serves no address that others reach, and says how to', async () => {
  await using folder = await temporary();
  const config = await writeConfig(folder.path, { mcpServers: {} });
  const child = spawnAmpoule(['serve', '--config', config, '--http', '0.0.0.0:0']);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(1);
  expect(text).toContain('ERR_ACCESS_REQUIRED');
  expect(text).toContain('--http is "0.0.0.0"');
  expect(text).not.toContain('Upstream servers');
});

test.skipIf(!CAN_LOOK)('no key is anywhere in the memory of the process that runs programs', async () => {
  const key = keyFor('searched').slice('amp_'.length);
  const program = 'what-only-this-program-says';
  for (let n = 0; n < 5; n++) await execute(`amp_${key}`, { code: `return "${program}".length + ${n};` });
  // The gateway has both, so the search finds what there is.
  expect(await textsInMemory(ampoule.pid, [key, program])).toEqual([key, program]);
  expect(await textsInMemory(ampoule.executor(), [key, program])).toEqual([program]);
});
