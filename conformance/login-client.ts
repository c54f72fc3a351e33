import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { HttpServerConfig } from '../src/config/schema.ts';
import type { CallAnswer } from '../src/upstream/call.ts';
import type { CatalogServer } from '../src/upstream/catalog.ts';
import { createGuardedFetch } from '../src/upstream/guarded-fetch.ts';
import { openLogins } from '../src/upstream/login/login-store.ts';
import { logIn } from '../src/upstream/login/log-in.ts';
import { openOAuth } from '../src/upstream/login/logins.ts';
import { createNetworkRules } from '../src/upstream/network-rules.ts';
import { connectUpstreams } from '../src/upstream/upstreams.ts';

// The same client where the suite wants a login: connects to the URL that is the last argument, logs in as often as it is asked to,
// three times at most, and calls each tool once.

const NAME = 'remote';
const MAX_LOGINS = 3;
const contextSchema = z.looseObject({
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  issuer: z.string().optional(),
});

const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const context = contextSchema.parse(JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}'));
const directory = mkdtempSync(join(tmpdir(), 'ampoule-conformance-'));
const config: HttpServerConfig = {
  type: 'http',
  url,
  headers: {},
  enabled: true,
  timeoutMs: 10_000,
  tools: { allow: ['*'], deny: [] },
  oauth: oauthOf(),
};
let logins = 0;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function oauthOf(): NonNullable<HttpServerConfig['oauth']> {
  const { client_id: clientId, client_secret: clientSecret, issuer } = context;
  // As the suite knows it.
  const document = 'https://conformance-test.local/client-metadata.json';
  if (clientId === undefined) return { grant: 'authorization_code', clientId: document };
  const grant = scenario === 'auth/client-credentials-basic' ? 'client_credentials' : 'authorization_code';
  return { grant, clientId, ...(clientSecret && { clientSecret }), ...(issuer && { issuer }) };
}

/** The operator at the command line: `ampoule login`, and `ampoule logout` before it where the message says so. */
async function operatorLogsIn(scopes?: readonly string[]): Promise<void> {
  logins++;
  using store = openLogins({ directory });
  const oauth = openOAuth(config);
  const direct = createGuardedFetch({ rules: createNetworkRules(config, 'server'), quietMs: 10_000 });
  const given = { server: NAME, config, scopes, oauthFetch: oauth.fetch, serverFetch: direct.fetch, show: follow, timeoutMs: 10_000 };
  const attempt = (before: ReturnType<typeof store.read>): ReturnType<typeof logIn> =>
    logIn({ ...given, before: before?.login }, new AbortController().signal);
  try {
    const login = await attempt(store.read(NAME)).catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('ampoule logout')) return attempt(undefined);
      throw error;
    });
    store.write(NAME, login);
  } finally {
    await Promise.all([oauth.close(), direct.close()]);
  }
}

/** The suite's authorization servers send the browser back at once. */
async function follow(target: URL): Promise<string | undefined> {
  const response = await fetch(target, { redirect: 'manual' });
  return response.headers.get('location') ?? undefined;
}

function argumentsFor({ properties = {} }: { properties?: object }): Record<string, unknown> {
  const values = { number: 1, integer: 1, string: 'text', boolean: true };
  return Object.fromEntries(
    Object.entries(properties as Record<string, { type?: keyof typeof values }>).map(([key, { type = 'string' }]) => [key, values[type]]),
  );
}

async function work(): Promise<void> {
  const log = { debug: say, info: say, warn: say };
  const clientInfo = { name: 'ampoule', version: '1' };
  await using upstreams = connectUpstreams(
    { [NAME]: config },
    { maxToolResultBytes: 1_000_000, baseEnvironment: {}, log, clientInfo, logins: { directory } },
  );
  await upstreams.settled();
  const remote = (): CatalogServer | undefined => upstreams.catalog().servers[0];
  const ready = async (): Promise<void> => {
    for (const end = performance.now() + 8_000; remote()?.state !== 'ready' && performance.now() < end;) {
      if (remote()?.state === 'login' && logins < MAX_LOGINS) await operatorLogsIn();
      // Longer than it takes to notice a login.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
  };
  await ready();
  for (const { name, inputSchema } of remote()?.tools ?? []) {
    const call = (): Promise<CallAnswer> =>
      upstreams.call({ server: NAME, tool: name, arguments: argumentsFor(inputSchema) }, new AbortController().signal);
    let answer = await call();
    while (!answer.ok && answer.error.code === 'ERR_UPSTREAM_LOGIN' && logins < MAX_LOGINS) {
      const scope = /--scope '([^']+)'/.exec(answer.error.hint ?? '')?.[1];
      await operatorLogsIn(scope?.split(' '));
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await ready();
      answer = await call();
    }
    say(`${scenario}: ${name} ${answer.ok ? 'ok' : answer.error.message}`);
  }
  if (remote()?.state !== 'ready') throw new Error(`not ready: ${remote()?.reason}`);
}

try {
  await work();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
