import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider, type Context } from 'oidc-provider';

/** A real OpenID provider with a person who logs in by any name and consents to everything. */
export interface OidcFixture extends AsyncDisposable {
  readonly issuer: string;
  /** The requests at its endpoints for authorization and tokens, by path, with what they carried. */
  readonly asked: { readonly path: string; readonly params: Readonly<Record<string, unknown>> }[];
  /** Plays the browser from an authorization URL on: logs in and consents. Returns where it was sent back to. */
  browse(from: URL, login: string): Promise<URL>;
}

export interface OidcOptions {
  readonly audience: string;
  readonly scopes: readonly string[];
  /** The one client that is known without registering. */
  readonly client: { readonly client_id: string; readonly redirect_uris: readonly string[] };
}

export async function startOidc({ audience, scopes, client }: OidcOptions): Promise<OidcFixture> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const asked: { path: string; params: Readonly<Record<string, unknown>> }[] = [];
  const provider = new Provider(issuer, {
    clients: [{ ...client, token_endpoint_auth_method: 'none', grant_types: ['authorization_code'], response_types: ['code'] }],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'first', use: 'sig', alg: 'RS256' }] },
    scopes: ['openid', ...scopes],
    cookies: { keys: ['test'] },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 60, Session: 60 },
    findAccount: (_context: Context, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      registration: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: scopes.join(' '), audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
    },
  });
  provider.on('grant.success', ({ oidc }) => void asked.push({ path: 'token', params: { ...oidc.params } }));
  const answer = provider.callback();
  server.on('request', (req, res) => void answer(req, res));
  return {
    issuer,
    asked,
    browse: async (from, login) => {
      asked.push({ path: 'authorization', params: Object.fromEntries(from.searchParams) });
      return browse(from, login, issuer);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function browse(from: URL, login: string, issuer: string): Promise<URL> {
  const jar = new Map<string, string>();
  let url = from;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step++) {
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
    const response = await fetch(url, { redirect: 'manual', headers, ...(form && { method: 'POST', body: form }) });
    form = undefined;
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) {
      url = new URL(location, url);
      if (url.origin !== issuer) return url;
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (prompt === undefined) throw new Error(`The browser is stuck at ${url.pathname}: ${response.status} ${page.slice(0, 500)}`);
    form = new URLSearchParams({ prompt, login, password: 'x' });
    url = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', url);
  }
  throw new Error('Too many steps');
}
