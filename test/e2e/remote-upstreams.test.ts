import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../upstream/harness.ts';
import { packaged, PROCESS_BOUND_MS, startAmpoule, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

const TOKEN = 'tok-en-9b1d77e2c0aa';

/** server-everything over one of its HTTP transports. */
async function startEverything(transport: 'streamableHttp' | 'sse', path: string): Promise<{ url: string; child: ChildProcess }> {
  const { command, args } = packaged('everything', [transport]) as { command: string; args: string[] };
  const port = await freePort();
  const env = { PATH: process.env['PATH'] ?? '', PORT: String(port) };
  const child = spawn(command, args, { env, stdio: 'ignore', timeout: PROCESS_BOUND_MS, killSignal: 'SIGKILL' });
  const url = `http://127.0.0.1:${port}${path}`;
  await until(`${url} answers`, () => answers(url));
  return { url, child };
}

async function answers(url: string): Promise<boolean> {
  const abort = new AbortController();
  try {
    await fetch(url, { signal: abort.signal });
    return true;
  } catch {
    return false;
  } finally {
    abort.abort();
  }
}

/** Refuses every request with a page that repeats the token it was sent. */
async function startRefusing(seen: string[]): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization ?? 'none');
    response.writeHead(401, { 'content-type': 'text/plain' }).end(`bad token: ${request.headers.authorization}`);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/mcp/${TOKEN}` };
}

const seen: string[] = [];
let ampoule: Ampoule;
let http: Awaited<ReturnType<typeof startEverything>>;
let sse: Awaited<ReturnType<typeof startEverything>>;
let refusing: Awaited<ReturnType<typeof startRefusing>>;

beforeAll(async () => {
  [http, sse, refusing] = await Promise.all([
    startEverything('streamableHttp', '/mcp'),
    startEverything('sse', '/sse'),
    startRefusing(seen),
  ]);
  const headers = { Authorization: 'Bearer ${env:E2E_TOKEN}' };
  const mcpServers = {
    http: { url: http.url, headers },
    sse: { type: 'sse', url: sse.url },
    refusing: { url: refusing.url, headers },
  };
  ampoule = await startAmpoule({ mcpServers }, { env: { E2E_TOKEN: TOKEN } });
});

afterAll(async () => {
  await ampoule.stop();
  http.child.kill('SIGKILL');
  sse.child.kill('SIGKILL');
  refusing.server.closeAllConnections();
  refusing.server.close();
});

describe('upstream servers over HTTP', () => {
  test('of both transports are used in one program', async () => {
    const code = `import * as http from "servers/http"; import * as sse from "servers/sse";
      return Promise.all([http.getSum({ a: 1, b: 2 }), sse.echo({ message: "old" }), http.getStructuredContent({ location: "New York" })]);`;
    expect(await ampoule.result(code)).toEqual([
      'The sum of 1 and 2 is 3.',
      'Echo: old',
      expect.objectContaining({ conditions: expect.any(String) }),
    ]);
  });

  test('answer forty calls of one program', async () => {
    const code = `import { echo } from "servers/http";
      const all = await Promise.all(Array.from({ length: 40 }, (_, n) => echo({ message: String(n) })));
      return all.length === 40 && all.every((text, n) => text === "Echo: " + n);`;
    expect(await ampoule.result(code)).toBe(true);
  });

  test('get their headers, and what is secret in them comes back in no answer and no log', async () => {
    expect(seen).toContain(`Bearer ${TOKEN}`);
    const { output, text } = await ampoule.execute('import { callTool } from "ampoule"; return callTool("refusing", "any");');
    expect(output.error?.message).toContain('ERR_UPSTREAM_UNAVAILABLE');
    for (const shown of [JSON.stringify(output), text, ampoule.stderr]) expect(shown).not.toContain(TOKEN);
  });

  test('that die in the middle of a call fail that call only', async () => {
    const code = `import { triggerLongRunningOperation } from "servers/sse"; import { echo } from "servers/http"; import { log } from "ampoule";
      const slow = triggerLongRunningOperation({ duration: 60, steps: 1 }).catch((e) => e.code);
      return [await echo({ message: "other" }), await slow];`;
    const client = await ampoule.connect();
    const call = client.call(
      { code },
      { onprogress: ({ progress }) => void (progress >= 2 && setTimeout(() => sse.child.kill('SIGKILL'), 500)) },
    );
    const { result } = (await call).structuredContent as { result: unknown };
    expect(result).toEqual(['Echo: other', expect.stringMatching(/^ERR_UPSTREAM_(CLOSED|PROTOCOL|UNAVAILABLE|CONNECT)$/)]);
  });
});
