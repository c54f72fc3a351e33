import type { FetchLike } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { SandboxError } from '../../errors.ts';
import { pause } from '../abortable.ts';
import { discoverPlace, type AuthorizationPlace } from './discover.ts';
import type { LiveLogin } from './live-login.ts';
import { isDue, secretsOf, type Login } from './record.ts';
import { clientCredentials } from './tokens.ts';

export interface CredentialsLoginOptions {
  readonly config: HttpServerConfig;
  /** Of {@link createOAuthFetch}. */
  readonly fetch: FetchLike;
  /** Ends its connections. */
  readonly closeFetch: () => Promise<void>;
}

/** Between two requests to an authorization server that says no, or whose tokens are not taken. */
const GAP_MS = 5_000;
const MAX_SECRETS = 8;

/** Tokens of the client_credentials grant: of this process alone, never stored, got when they are needed. */
export class CredentialsLogin implements LiveLogin {
  readonly #options: CredentialsLoginOptions;
  #place: AuthorizationPlace | undefined;
  #login: Login | undefined;
  #secrets: readonly string[] = [];
  #getting: Promise<Login> | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #forcedAt = -Infinity;

  constructor(options: CredentialsLoginOptions) {
    this.#options = options;
  }

  async token(): Promise<string> {
    const login = this.#login;
    return (login === undefined || isDue(login) ? await this.#get() : login).accessToken;
  }

  async rejected(token: string | undefined): Promise<void> {
    if (this.#login !== undefined && this.#login.accessToken !== token) return;
    const now = performance.now();
    if (this.#getting === undefined && now - this.#forcedAt < GAP_MS) {
      throw new SandboxError('ERR_UPSTREAM_LOGIN_FAILED', 'it does not take the tokens of its authorization server (oauth in the config)');
    }
    this.#forcedAt = now;
    await this.#get();
  }

  secrets(): readonly string[] {
    return this.#secrets;
  }

  /** Nothing that is stored changes anything here. */
  async changed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await pause(3_600_000, signal);
  }

  close(): Promise<void> {
    return this.#options.closeFetch();
  }

  #get(): Promise<Login> {
    if (this.#getting === undefined && this.#failure !== undefined && performance.now() - this.#failure.at < GAP_MS) {
      return Promise.reject(this.#failure.error);
    }
    this.#getting ??= this.#getOnce().finally(() => (this.#getting = undefined));
    return this.#getting;
  }

  async #getOnce(): Promise<Login> {
    const { config, fetch } = this.#options;
    try {
      this.#place ??= await discoverPlace({ serverUrl: config.url, issuer: config.oauth?.issuer, fetch });
      this.#login = await clientCredentials(config, this.#place, fetch);
      this.#secrets = [...this.#secrets, ...secretsOf(this.#login)].slice(-MAX_SECRETS);
      this.#failure = undefined;
      return this.#login;
    } catch (error) {
      // The endpoints may have moved.
      this.#place = undefined;
      this.#failure = { error, at: performance.now() };
      throw error;
    }
  }
}
