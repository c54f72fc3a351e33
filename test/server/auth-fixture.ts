import { expect } from 'vitest';
import { openAccessFixture, type AccessFixture } from '../access/access-fixture.ts';
import { AUDIENCE, startIssuer, type TestIssuer } from '../access/issuer-fixture.ts';
import { startFixture, type HttpFixture } from './http-fixture.ts';
import { JSON_TYPE, type send } from './raw-http.ts';

/** What requests of 2026-07-28 have besides their method and name. */
export const MODERN_HEADERS = { ...JSON_TYPE, 'mcp-protocol-version': '2026-07-28' };
export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** A server that takes keys and the tokens of an issuer. */
export interface AuthFixture extends AsyncDisposable {
  readonly issuer: TestIssuer;
  readonly access: AccessFixture;
  readonly http: HttpFixture;
  readonly url: string;
  /** A key for the tools of github. */
  readonly alice: string;
  /** A key for everything. */
  readonly bob: string;
}

export async function startAuthFixture(): Promise<AuthFixture> {
  const issuer = await startIssuer();
  const access = openAccessFixture({
    oauth: {
      issuer: issuer.url,
      audience: [AUDIENCE],
      scopes: { tools: ['*'], tickets: ['tickets.*'] },
      requiredScopes: [],
      algorithms: ['ES256'],
      clockToleranceMs: 2_000,
    },
  });
  const alice = access.register.create({ name: 'alice', tools: ['github.*'] }).key;
  const bob = access.register.create({ name: 'bob' }).key;
  const http = await startFixture({ auth: access.auth });
  const end = async (): Promise<void> => {
    await http.server.close();
    access[Symbol.dispose]();
    await issuer[Symbol.asyncDispose]();
  };
  return { issuer, access, http, url: http.server.url, alice, bob, [Symbol.asyncDispose]: end };
}

/** What a refused request says: its status, its code and its challenge. */
export async function refused(answer: Awaited<ReturnType<typeof send>>): Promise<{ status: number; code: string; challenge: string }> {
  const body = JSON.parse(answer.body) as { jsonrpc: string; id: null; error: { code: number; message: string } };
  expect(body).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32_000 } });
  const challenge = answer.headers['www-authenticate'] ?? '';
  return { status: answer.status, code: /^ERR_\w+/.exec(body.error.message)?.[0] ?? '', challenge };
}
