import { Client, StreamableHTTPClientTransport, UnauthorizedError, type OAuthDiscoveryState } from '@modelcontextprotocol/client';
import { UnauthorizedError as OldUnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallAnswer, Lane } from '../server/clients.ts';
import type { OidcFixture } from './oidc-fixture.ts';

const INFO = { name: 'test', version: '1' };
/** Nobody listens there: the browser of the tests stops before it. */
export const REDIRECT = 'http://127.0.0.1:7/callback';

/** A client that has logged in. */
export interface LoggedIn {
  /** Its access token. */
  readonly token: string;
  readonly idToken: string | undefined;
  /** By which name the issuer knows it. */
  readonly clientId: string;
  call(args: Record<string, unknown>): Promise<CallAnswer>;
  close(): Promise<void>;
}

/** A real client from nothing to being connected: it finds the issuer by itself, and logs in with a browser. */
export async function logIn(lane: Lane, url: string, oidc: OidcFixture, login: string, clientId?: string): Promise<LoggedIn> {
  const wallet = new Wallet(clientId);
  const transport = (): InstanceType<typeof StreamableHTTPClientTransport> =>
    new StreamableHTTPClientTransport(new URL(url), { authProvider: wallet });
  const mode = lane === 'v2 client, 2026-07-28' ? { pin: '2026-07-28' } : 'legacy';
  if (lane === 'v1 client') return logInOld(url, oidc, login, wallet);
  const first = transport();
  await expectUnauthorized(new Client(INFO, { versionNegotiation: { mode } }).connect(first), UnauthorizedError);
  await first.finishAuth((await oidc.browse(wallet.visited(), login)).searchParams);
  const client = new Client(INFO, { versionNegotiation: { mode } });
  await client.connect(transport());
  return wallet.loggedIn(
    (args) => client.callTool({ name: 'execute_code', arguments: args }) as Promise<CallAnswer>,
    () => client.close(),
  );
}

async function logInOld(url: string, oidc: OidcFixture, login: string, wallet: Wallet): Promise<LoggedIn> {
  const first = new OldTransport(new URL(url), { authProvider: wallet });
  await expectUnauthorized(new OldClient(INFO).connect(first), OldUnauthorizedError);
  const back = await oidc.browse(wallet.visited(), login);
  await first.finishAuth(back.searchParams.get('code') ?? '');
  const client = new OldClient(INFO);
  await client.connect(new OldTransport(new URL(url), { authProvider: wallet }));
  return wallet.loggedIn(
    (args) => client.callTool({ name: 'execute_code', arguments: args }) as Promise<CallAnswer>,
    () => client.close(),
  );
}

async function expectUnauthorized(connecting: Promise<void>, kind: new (...args: never[]) => Error): Promise<void> {
  const error = await connecting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof kind)) throw new Error(`The client did not ask to log in: ${String(error)}`);
}

interface Tokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly id_token?: string;
}

interface Registration {
  readonly client_id: string;
}

/** What a client keeps of its login, in memory; the same for both SDKs. */
class Wallet {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadata = {
    client_name: 'test',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  #registration: Registration | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #tokens: Tokens | undefined;
  #verifier = '';
  #visited: URL | undefined;

  constructor(clientId?: string) {
    this.#registration = clientId === undefined ? undefined : { client_id: clientId };
  }

  clientInformation(): Registration | undefined {
    return this.#registration;
  }

  saveClientInformation(registration: Registration): void {
    this.#registration = registration;
  }

  tokens(): Tokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: Tokens): void {
    this.#tokens = tokens;
  }

  redirectToAuthorization(url: URL): void {
    this.#visited = url;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  /** Where the client has sent its user. */
  visited(): URL {
    if (this.#visited === undefined) throw new Error('The client sent nobody anywhere');
    return this.#visited;
  }

  loggedIn(call: LoggedIn['call'], close: () => Promise<void>): LoggedIn {
    const { access_token: token = '', id_token: idToken } = this.#tokens ?? {};
    return { token, idToken, clientId: this.#registration?.client_id ?? '', call, close };
  }
}
