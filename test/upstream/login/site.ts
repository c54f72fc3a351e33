import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { AsyncLocalStorage } from 'node:async_hooks';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Provider } from 'oidc-provider';
import { z } from 'zod';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on a free port of 127.0.0.1, gone at the end of the scope. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  handler: Handler;
}

export async function listen(handler: Handler = (_request, response) => void response.writeHead(404).end()): Promise<Site> {
  const listening = Promise.withResolvers<void>();
  const http = createServer((request, response) => site.handler(request, response)).listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  const address = http.address();
  const site: Site = {
    origin: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    handler,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
    },
  };
  return site;
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export interface AuthorizationSite extends AsyncDisposable {
  readonly issuer: string;
  readonly provider: Provider;
  /** What the token endpoint was asked for, in order. */
  readonly grants: string[];
  /** How long access tokens live from now on, in seconds. */
  accessSeconds: number;
  /** Set to answer in the provider's place; undefined to leave it to the provider. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

/** A real OpenID provider that logs everybody in as "ann" and consents to everything. */
export async function startProvider(clients: object[] = []): Promise<AuthorizationSite> {
  const http = await listen();
  const grants: string[] = [];
  const configuration = {
    clients,
    scopes: ['openid', 'offline_access', 'read', 'write'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    interactions: { url: (_context: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['test'] },
    ttl: {
      AccessToken: () => site.accessSeconds,
      ClientCredentials: () => site.accessSeconds,
      RefreshToken: 3_600,
      Interaction: 60,
      Session: 60,
      Grant: 3_600,
    },
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: 'read write',
          audience: resource,
          accessTokenTTL: site.accessSeconds,
          accessTokenFormat: 'opaque',
        }),
      },
    },
  };
  const provider = new Provider(http.origin, configuration);
  provider.on('grant.success', (context) => grants.push(`${context.oidc.params?.['grant_type']} ok`));
  provider.on('grant.error', (context, error) => grants.push(`${context.oidc.params?.['grant_type']} ${error.message}`));
  const callback = provider.callback();
  const site: AuthorizationSite = {
    issuer: http.origin,
    provider,
    grants,
    accessSeconds: 3_600,
    instead: undefined,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
  http.handler = (request, response) => {
    if (site.instead?.(request, response) === true) return;
    if (request.url?.startsWith('/interaction/') === true) void interact(provider, request, response);
    else void callback(request, response);
  };
  return site;
}

async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'ann' } }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: params['client_id'] ?? '' });
  const scope = params['scope'] ?? 'openid';
  grant.addOIDCScope(scope);
  if (params['resource'] !== undefined) grant.addResourceScope(params['resource'], scope);
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

/** Goes from the authorization URL to where the redirects end at `until`, as a browser would; returns that address. */
export async function browse(from: URL | string, until: string): Promise<string> {
  const jar = new Map<string, string>();
  let url = new URL(from);
  for (let hops = 0; hops < 12; hops++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) {
      throw new Error(`the browser is stuck at ${url.href}: ${response.status} ${(await response.text()).slice(0, 500)}`);
    }
    url = new URL(location, url);
    if (url.href.startsWith(until)) return url.href;
  }
  throw new Error('too many redirects');
}

export interface ProtectedSite extends Site {
  readonly url: string;
  /** The Authorization header of each request to the endpoint. */
  readonly seen: (string | undefined)[];
  /** All headers of each request to the endpoint. */
  readonly headers: IncomingMessage['headers'][];
  /** Scopes that each request has to have. */
  scopes: string[];
  /** Refuses every token. */
  refuses: boolean;
}

/** A real MCP server that takes the tokens of a provider: one tool says `pong`, one tells the Authorization header that it got. */
export async function startProtected(provider: AuthorizationSite, more: { metadata?: object } = {}): Promise<ProtectedSite> {
  const site = await listen();
  const authorization = new AsyncLocalStorage<string>();
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: 'protected', version: '1' }, { instructions: `Your header is ${authorization.getStore()}.` });
    mcp.registerTool('ping', {}, () => ({ content: [{ type: 'text', text: '"pong"' }] }));
    mcp.registerTool('tells', { description: `Called with ${authorization.getStore()}` }, () => ({ content: [] }));
    mcp.registerTool('leak', { inputSchema: z.object({ fail: z.boolean().optional() }) }, ({ fail }) => ({
      content: [{ type: 'text', text: JSON.stringify({ got: authorization.getStore() }) }],
      isError: fail === true,
    }));
    return mcp;
  });
  const node = toNodeHandler(handler);
  const metadataPath = '/.well-known/oauth-protected-resource/mcp';
  const own: ProtectedSite = Object.assign(site, {
    url: `${site.origin}/mcp`,
    seen: [] as (string | undefined)[],
    headers: [] as IncomingMessage['headers'][],
    scopes: [] as string[],
    refuses: false,
  });
  const metadata = { resource: own.url, authorization_servers: [provider.issuer], scopes_supported: ['read'], ...more.metadata };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === metadataPath) return json(response, metadata);
    if (request.url !== '/mcp') return void response.writeHead(404).end();
    const header = request.headers.authorization;
    own.seen.push(header);
    own.headers.push(request.headers);
    const token = await acceptedToken(provider, header, own.url);
    const challenge = `Bearer resource_metadata="${site.origin}${metadataPath}"`;
    if (token === undefined || own.refuses) return void response.writeHead(401, { 'www-authenticate': challenge }).end('who are you');
    if (!own.scopes.every((scope) => token.scopes.has(scope))) {
      const lacking = `Bearer error="insufficient_scope", scope="${own.scopes.join(' ')}"`;
      return void response.writeHead(403, { 'www-authenticate': lacking }).end('not enough');
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own type says undefined where the SDK's says absent
    await authorization.run(header ?? '', () => node(request as Parameters<typeof node>[0], response));
  };
  site.handler = (request, response) => void serve(request, response);
  const dispose = site[Symbol.asyncDispose];
  return Object.assign(own, {
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      await dispose.call(site);
    },
  });
}

async function acceptedToken(
  { provider }: AuthorizationSite,
  header: string | undefined,
  audience: string,
): Promise<{ scopes: Set<string> } | undefined> {
  const text = /^Bearer (.+)$/.exec(header ?? '')?.[1];
  if (text === undefined) return undefined;
  const token = (await provider.AccessToken.find(text)) ?? (await provider.ClientCredentials.find(text));
  if (token === undefined || token.isExpired || token.aud !== audience) return undefined;
  return { scopes: new Set(token.scope?.split(' ')) };
}
