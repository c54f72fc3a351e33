import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../upstream/harness.ts';
import { fixture, packaged, startAmpoule, temporary, type Ampoule } from './harness.ts';

const TOKEN = 'tok-en-5f1c9d3b77aa';
const folder = await temporary();
let ampoule: Ampoule;

beforeAll(async () => {
  ampoule = await startAmpoule(
    {
      check: 'off',
      mcpServers: {
        everything: packaged('everything', [], { tools: { allow: ['echo', 'get-*'], deny: ['get-env'] } }),
        answers: fixture('answers', { env: { API_TOKEN: '${env:E2E_TOKEN}' } }),
        refuses: fixture('refuses', { env: { API_TOKEN: '${env:E2E_TOKEN}' } }),
        garbled: { command: process.execPath, args: [fileURLToPath(new URL('../fixtures/e2e/garbled.ts', import.meta.url))] },
        absent: { command: join(folder.path, 'no-such-program') },
        ends: { command: process.execPath, args: ['-e', 'console.error("no licence"); process.exit(3)'] },
        unreachable: {
          url: `http://127.0.0.1:${await freePort()}/mcp?key=${TOKEN}`,
          headers: { Authorization: 'Bearer ${env:E2E_TOKEN}' },
          timeoutMs: 2_000,
        },
        off: { command: 'not-started', enabled: false },
      },
    },
    { directory: folder.path, env: { E2E_TOKEN: TOKEN } },
  );
});
afterAll(async () => {
  await ampoule.stop();
  await folder[Symbol.asyncDispose]();
});

/** The error that one call of a tool ends with. */
function callError(server: string, tool: string, args: object = {}): Promise<unknown> {
  const code = `import { callTool } from "ampoule";
    try { return await callTool(input.server, input.tool, input.args); }
    catch (e) { return { name: e.name, code: e.code, message: e.message, hint: e.hint }; }`;
  return ampoule.result(code, { input: { server, tool, args } });
}

describe('upstreams that do not work', () => {
  test('never stop the others', async () => {
    expect(await ampoule.result('import { echo } from "servers/everything"; return echo({ message: "up" });')).toBe('Echo: up');
    const table = ampoule.stderr.slice(ampoule.stderr.indexOf('Upstream servers:'));
    expect(table).toMatch(/everything +ready/);
    const broken = ['refuses', 'garbled', 'absent', 'ends', 'unreachable'];
    for (const name of broken) expect(table).toMatch(new RegExp(`${name} +(?!ready)\\w+ .*\\w`));
  });

  test.each(['refuses', 'garbled', 'absent', 'ends', 'unreachable'])('a call of %s says that it is not connected', async (server) => {
    expect(await callError(server, 'any')).toMatchObject({ name: 'ToolError', code: 'ERR_UPSTREAM_UNAVAILABLE' });
  });

  test('one that dies in the middle of a call fails that call, and comes back', async () => {
    expect(await callError('answers', 'crash')).toMatchObject({ code: 'ERR_UPSTREAM_CLOSED' });
    const code = `import { callTool, sleep } from "ampoule";
      for (let tries = 0; tries < 100; tries++) { try { return await callTool("answers", "text"); } catch (e) { await sleep(200); } }`;
    expect(await ampoule.result(code)).toBe('plain');
  });

  test.each([
    ['number', 'ERR_UPSTREAM_PROTOCOL'],
    ['blocks', 'ERR_UPSTREAM_PROTOCOL'],
    ['empty', 'ERR_UPSTREAM_PROTOCOL'],
    ['refuse', 'ERR_UPSTREAM_PROTOCOL'],
    ['failed', 'ERR_CALL_TOOL'],
  ])('an answer that is wrong (%s) is an error of that call', async (tool, code) => {
    expect(await callError('answers', tool)).toMatchObject({ name: 'ToolError', code });
  });

  test('an answer that is too large is refused', async () => {
    expect(await callError('answers', 'big', { bytes: 9_000_000 })).toMatchObject({ code: 'ERR_UPSTREAM_TOO_LARGE' });
  });
});

describe('a call that is not sent', () => {
  test.each([
    ['an unknown server', 'everthing', 'echo', {}, 'ERR_CALL_UNKNOWN_SERVER', /"everything"/],
    ['an unknown tool', 'everything', 'ecko', {}, 'ERR_CALL_UNKNOWN_TOOL', /"echo"/],
    ['a denied tool', 'everything', 'get-env', {}, 'ERR_CALL_DENIED', /./],
    ['a tool that is not allowed', 'everything', 'toggle-simulated-logging', {}, 'ERR_CALL_DENIED', /./],
    ['arguments of a wrong type', 'everything', 'get-sum', { a: 'one', b: 2 }, 'ERR_CALL_ARGUMENTS', /number/],
    ['a missing argument', 'everything', 'echo', {}, 'ERR_CALL_ARGUMENTS', /message/],
    ['a value out of its list', 'everything', 'get-structured-content', { location: 'Chicgo' }, 'ERR_CALL_ARGUMENTS', /Chicago/],
    ['a prototype for a server', '__proto__', 'constructor', {}, 'ERR_CALL_UNKNOWN_SERVER', /./],
    ['a prototype for a tool', 'everything', 'constructor', {}, 'ERR_CALL_UNKNOWN_TOOL', /./],
    ['a server that is switched off', 'off', 'any', {}, /^ERR_(CALL_UNKNOWN_SERVER|CALL_DENIED|UPSTREAM_UNAVAILABLE)$/, /./],
  ])('%s', async (_name, server, tool, args, code, told) => {
    const error = (await callError(server, tool, args)) as { code: string; message: string; hint?: string };
    expect(error.code).toMatch(code);
    expect(`${error.message} ${error.hint ?? ''}`).toMatch(told);
  });
});

describe('secrets', () => {
  test('of the config are in no answer, no wrapper, no error and not in the log', async () => {
    const answers = [];
    for (const server of ['refuses', 'unreachable', 'answers', 'absent']) answers.push(await callError(server, 'refuse'));
    const [tool] = (await (await ampoule.connect()).listTools()).tools;
    const generated = join(folder.path, 'generated');
    const names = await readdir(generated, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'));
    const texts = [JSON.stringify(answers), tool?.description ?? '', ampoule.stderr, ...(await Promise.all(files))];
    expect(texts.length).toBeGreaterThan(10);
    for (const text of texts) expect(text).not.toContain(TOKEN);
  });

  test('and environment of the server reach neither programs nor upstreams that were not given them', async () => {
    const seen = await ampoule.result(
      'const own = Object.getOwnPropertyNames(globalThis); return { process: typeof (globalThis as any).process, own };',
    );
    expect(seen).toMatchObject({ process: 'undefined' });
    expect(JSON.stringify(seen)).not.toContain(TOKEN);
  });
});
