import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Catalog } from '../../src/upstream/catalog.ts';
import {
  command,
  connect,
  end,
  fixture,
  freePort,
  isAlive,
  never,
  packaged,
  RecordedLog,
  remote,
  server,
  startEverything,
  toolNames,
  until,
} from './harness.ts';

test('connects to real servers over stdio and calls their tools', async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-upstream-')));
  try {
    await writeFile(join(folder, 'a.txt'), 'hello');
    const upstreams = connect({
      memory: command([packaged('server-memory')], { env: { MEMORY_FILE_PATH: join(folder, 'memory.json') } }),
      files: command([packaged('server-filesystem'), folder]),
      everything: command([packaged('server-everything')]),
    });
    await upstreams.settled();
    expect(upstreams.catalog().servers.map((one) => [one.name, one.state])).toEqual([
      ['everything', 'ready'],
      ['files', 'ready'],
      ['memory', 'ready'],
    ]);
    const names = toolNames(upstreams, 'files');
    expect(names).toContain('read_text_file');
    expect(names).toEqual([...names].sort());
    const read = await upstreams.call({ server: 'files', tool: 'read_text_file', arguments: { path: join(folder, 'a.txt') } }, never());
    expect(read).toEqual({ ok: true, value: '{"content":"hello"}' });
    const sum = await upstreams.call({ server: 'everything', tool: 'get-sum', arguments: { a: 2, b: 3 } }, never());
    expect(sum).toMatchObject({ ok: true, value: expect.stringContaining('5') });
    const entities = [{ name: 'x', entityType: 't', observations: [] }];
    const made = await upstreams.call({ server: 'memory', tool: 'create_entities', arguments: { entities } }, never());
    expect(made).toEqual({ ok: true, value: JSON.stringify({ entities }) });
    const outside = await upstreams.call({ server: 'files', tool: 'read_text_file', arguments: { path: '/etc/passwd' } }, never());
    expect(outside).toMatchObject({ ok: false, error: { code: 'ERR_CALL_TOOL', content: [{ type: 'text' }] } });
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const [transport, type, path] of [
  ['streamableHttp', 'http', '/mcp'],
  ['sse', 'sse', '/sse'],
] as const) {
  test(`connects to a real server over ${transport}, calls it, and connects again after it restarted`, async () => {
    const { port, child } = await startEverything(transport);
    const upstreams = connect({ remote: remote(type, `http://127.0.0.1:${port}${path}`) });
    await upstreams.settled();
    expect(server(upstreams, 'remote')).toMatchObject({ state: 'ready' });
    const call = { server: 'remote', tool: 'get-structured-content', arguments: { location: 'New York' } };
    const answer = await upstreams.call(call, never());
    expect(answer).toMatchObject({ ok: true, value: expect.stringContaining('temperature') });

    const long = { server: 'remote', tool: 'trigger-long-running-operation', arguments: { duration: 30, steps: 30 } };
    const interrupted = upstreams.call(long, never());
    setTimeout(() => void end(child), 300);
    const startedAt = performance.now();
    expect(await interrupted).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_CLOSED' } });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await until(() => server(upstreams, 'remote').state === 'retrying');
    expect(server(upstreams, 'remote').tools.length).toBeGreaterThan(5);

    await startEverything(transport, port);
    await until(() => server(upstreams, 'remote').state === 'ready', 20_000);
    expect(await upstreams.call(call, never())).toMatchObject({ ok: true });
  });
}

test('servers that are missing, silent, rubbish, refusing or disabled never stop the one that works', async () => {
  const port = await freePort();
  const upstreams = connect(
    {
      good: fixture('answers'),
      missing: { ...command([]), command: 'no-such-command-anywhere' },
      silent: fixture('silent'),
      rubbish: fixture('rubbish'),
      refuses: fixture('refuses', [], { env: { API_TOKEN: 'sesame-open' } }),
      disabled: fixture('answers', [], { enabled: false }),
      unreachable: remote('http', `http://127.0.0.1:${port}/path-token?key=query-secret`),
    },
    { connectTimeoutMs: 1_500 },
  );
  await upstreams.settled();
  expect(Object.fromEntries(upstreams.catalog().servers.map((one) => [one.name, one.state]))).toEqual({
    good: 'ready',
    missing: 'retrying',
    silent: 'connecting',
    rubbish: 'connecting',
    refuses: 'retrying',
    disabled: 'disabled',
    unreachable: 'retrying',
  });
  expect(server(upstreams, 'missing').reason).toBe('its command was not found: "no-such-command-anywhere"');
  expect(server(upstreams, 'silent').reason).toContain('has not answered');
  expect(server(upstreams, 'refuses').reason).toContain('bad token ***');
  expect(server(upstreams, 'unreachable').reason).toBe(`it cannot be reached (ECONNREFUSED): http://127.0.0.1:${port}`);
  expect(await upstreams.call({ server: 'good', tool: 'text', arguments: {} }, never())).toEqual({ ok: true, value: '"plain"' });
  const call = await upstreams.call({ server: 'missing', tool: 'x', arguments: {} }, never());
  expect(call).toMatchObject({
    ok: false,
    error: { code: 'ERR_UPSTREAM_UNAVAILABLE', message: 'the server "missing" is not connected (retrying): its command was not found' },
  });
});

test('a cwd that does not exist is named in the reason', async () => {
  const upstreams = connect({ lost: fixture('answers', [], { cwd: join(tmpdir(), 'ampoule-no-such-folder') }) });
  await upstreams.settled();
  expect(server(upstreams, 'lost').reason).toContain('ampoule-no-such-folder');
});

test('an unknown server and an unknown tool are told apart, with the nearest name', async () => {
  const upstreams = connect({ answers: fixture('answers', [], { tools: { allow: ['*'], deny: ['cra*'] } }) });
  await upstreams.settled();
  const code = async (name: string, tool: string): Promise<unknown> => {
    const answer = await upstreams.call({ server: name, tool, arguments: {} }, never());
    return answer.ok ? answer : [answer.error.code, answer.error.hint];
  };
  expect(await code('answer', 'text')).toEqual(['ERR_CALL_UNKNOWN_SERVER', 'Did you mean "answers"?']);
  expect(await code('answers', 'txet')).toEqual(['ERR_CALL_UNKNOWN_TOOL', 'Did you mean "text"?']);
  expect(await code('answers', 'crash')).toEqual(['ERR_CALL_DENIED', undefined]);
  expect(await code('__proto__', 'constructor')).toEqual(['ERR_CALL_UNKNOWN_SERVER', 'There are: answers.']);
});

test('follows the pages of a list, and ends a list that never ends', async () => {
  const upstreams = connect({
    pages: fixture('paging', ['pages']),
    repeats: fixture('paging', ['repeats']),
    endless: fixture('paging', ['endless']),
  });
  await upstreams.settled();
  expect(toolNames(upstreams, 'pages')).toEqual(['tool-0', 'tool-1', 'tool-2', 'tool-3', 'tool-4']);
  expect(server(upstreams, 'repeats').tools).toEqual([{ name: 'same', description: 'page 0', inputSchema: { type: 'object' } }]);
  expect(toolNames(upstreams, 'endless')).toHaveLength(500);
});

test('makes the best of an odd list: first of a name, a schema for all, the operator says which', async () => {
  const log = new RecordedLog();
  const upstreams = connect({ odd: fixture('odd-list', [], { tools: { allow: ['*'], deny: ['admin*'] } }) }, { log });
  await upstreams.settled();
  const { tools } = server(upstreams, 'odd');
  expect(tools.map((one) => one.name)).toEqual(['..', 'a/b.c', 'array-schema', 'no-schema', 'twice']);
  for (const one of tools) expect(one.inputSchema).toEqual({ type: 'object' });
  expect(tools.at(-1)?.description).toBe('first');
  expect(log.lines.join('\n')).toMatch(/"twice" more than once/);
});

test('a server without tools is ready with none', async () => {
  const upstreams = connect({ toolless: fixture('toolless') });
  await upstreams.settled();
  expect(server(upstreams, 'toolless')).toEqual({
    name: 'toolless',
    state: 'ready',
    title: 'fixture',
    instructions: 'nothing here',
    tools: [],
  });
});

test('a server that changes its tools without end is listed again all the time, and not more than a few times in a second', async () => {
  const upstreams = connect({ restless: fixture('restless') });
  await upstreams.settled();
  const names = new Set<string>();
  upstreams.onChange(() => server(upstreams, 'restless').tools.forEach(({ name }) => name.startsWith('current-') && names.add(name)));
  const began = performance.now();
  await upstreams.call({ server: 'restless', tool: 'start', arguments: { changes: 10_000, everyMs: 20 } }, never());
  await until(() => names.size > 3);
  expect(names.size).toBeLessThanOrEqual(2 + (performance.now() - began) / 250);
});

test('a list that changes refreshes the catalog; one that only says so does not', async () => {
  const upstreams = connect({ changing: fixture('changing') });
  await upstreams.settled();
  const before = upstreams.catalog();
  const seen: Catalog[] = [];
  await until(() => server(upstreams, 'changing').state === 'ready');
  // The first change, from connecting to ready, is told before we listen.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stop = upstreams.onChange((catalog) => seen.push(catalog));
  await upstreams.call({ server: 'changing', tool: 'touch', arguments: {} }, never());
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(seen).toEqual([]);
  expect(upstreams.catalog()).toBe(before);
  await upstreams.call({ server: 'changing', tool: 'grow', arguments: {} }, never());
  await until(() => seen.length === 1);
  expect(seen[0]?.servers[0]?.tools.map((one) => one.name)).toEqual(['grow', 'grown-2', 'touch']);
  expect(before.servers[0]?.tools.map((one) => one.name)).toEqual(['grow', 'touch']);
  // A tool that did not change is the same object, so that what is cached for it stays.
  expect(seen[0]?.servers[0]?.tools[0]).toBe(before.servers[0]?.tools[0]);
  stop();
});

test('text that is not MCP between the messages does no harm, and secrets do not get into the log', async () => {
  const log = new RecordedLog();
  const upstreams = connect({ chatty: fixture('chatty', [], { env: { API_TOKEN: 'sesame-open' } }) }, { log });
  await upstreams.settled();
  expect(server(upstreams, 'chatty').state).toBe('ready');
  await until(() => log.lines.includes('debug upstream chatty stderr: starting with ***'));
  expect(log.lines.join('\n')).not.toContain('sesame');
});

test('a child process gets a minimal environment, its own variables and its folder', async () => {
  const cwd = await realpath(tmpdir());
  const baseEnvironment = { PATH: '/usr/bin:/bin', HOME: '/tmp', LC_ALL: 'C', SECRET_OF_GATEWAY: 'gateway-secret', NODE_OPTIONS: '' };
  const upstreams = connect({ chatty: fixture('chatty', [], { cwd, env: { OWN: 'yes', API_TOKEN: 'abcdef' } }) }, { baseEnvironment });
  await upstreams.settled();
  const env = await upstreams.call({ server: 'chatty', tool: 'env', arguments: {} }, never());
  // By the last one it is found again, with all that it starts.
  const family = { AMPOULE_UPSTREAM: expect.stringMatching(/^[0-9a-f-]{36}\.1$/) };
  expect(env.ok && JSON.parse(env.value)).toEqual({
    PATH: '/usr/bin:/bin',
    HOME: '/tmp',
    LC_ALL: 'C',
    OWN: 'yes',
    API_TOKEN: 'abcdef',
    ...family,
  });
  const folder = await upstreams.call({ server: 'chatty', tool: 'cwd', arguments: {} }, never());
  expect(folder).toEqual({ ok: true, value: JSON.stringify({ cwd }) });
});

test('closing in the middle of connecting leaves no process behind', async () => {
  const log = new RecordedLog();
  const upstreams = connect({ silent: fixture('silent-with-pid') }, { log });
  await until(() => log.lines.some((line) => line.includes('pid ')));
  const pid = Number(/pid (\d+)/.exec(log.lines.join())?.[1]);
  expect(isAlive(pid)).toBe(true);
  await upstreams.close();
  await until(() => !isAlive(pid), 1_000);
});

test('a process that ends before it speaks is retried, and the reason has its last words', async () => {
  const upstreams = connect({ boom: command(['-e', 'console.error("cannot read \\u001b[31mconfig"); process.exit(3)']) });
  await upstreams.settled();
  expect(server(upstreams, 'boom')).toMatchObject({
    state: 'retrying',
    reason: 'the process ended with exit code 3: it last wrote "cannot read  [31mconfig"',
  });
});

test('a server over stdio that only speaks the 2026 protocol is spoken to in it', async () => {
  const upstreams = connect({ modern: fixture('modern') });
  await until(() => server(upstreams, 'modern').state === 'ready');
  const answer = await upstreams.call({ server: 'modern', tool: 'era', arguments: {} }, never());
  expect(answer).toEqual({ ok: true, value: '2026' });
});
