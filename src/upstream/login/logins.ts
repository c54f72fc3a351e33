import type { LookupFunction } from 'node:net';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { createGuardedFetch, type GuardedFetch } from '../guarded-fetch.ts';
import { createNetworkRules } from '../network-rules.ts';
import type { UpstreamLog } from '../options.ts';
import { CredentialsLogin } from './credentials-login.ts';
import { StoredLogin, type LiveLogin } from './live-login.ts';
import { openLoginsIfAny, type LoginStore, type LoginStoreOptions } from './login-store.ts';
import { createOAuthFetch, DOCUMENT_TIMEOUT_MS } from './oauth-fetch.ts';

/** The store of all servers of this process, opened when there is one and again when another took its place. */
export class Logins {
  readonly #options: LoginStoreOptions | undefined;
  #store: LoginStore | undefined;

  constructor(options: LoginStoreOptions | undefined) {
    this.#options = options;
  }

  /** @throws SandboxError ERR_UPSTREAM_LOGIN_STORE */
  readonly store = (): LoginStore | undefined => {
    if (this.#options === undefined) return undefined;
    if (this.#store?.isCurrent() === false) this.close();
    this.#store ??= openLoginsIfAny(this.#options);
    return this.#store;
  };

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }
}

export interface ServerLoginOptions {
  readonly server: string;
  readonly config: HttpServerConfig;
  readonly logins: Logins;
  readonly log: UpstreamLog;
  readonly lookup?: LookupFunction | undefined;
}

/** The login of one server; none where the operator gives it an Authorization header. */
export function createServerLogin({ server, config, logins, log, lookup }: ServerLoginOptions): LiveLogin | undefined {
  if (hasOwnAuthorization(config)) return undefined;
  const { fetch, close: closeFetch } = openOAuth(config, { lookup });
  if (config.oauth?.grant === 'client_credentials') return new CredentialsLogin({ config, fetch, closeFetch });
  return new StoredLogin({ server, config, store: logins.store, fetch, closeFetch, log });
}

/** Whether the operator's own headers say who we are. */
export function hasOwnAuthorization({ headers }: HttpServerConfig): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

/** A fetch for everything of OAuth that has to do with one server, with the address rules for what a server makes us follow. */
export function openOAuth(
  config: HttpServerConfig,
  options: { readonly lookup?: LookupFunction | undefined; readonly signal?: AbortSignal } = {},
): { fetch: FetchLike; close: GuardedFetch['close'] } {
  const { lookup, signal } = options;
  const guarded = createGuardedFetch({ rules: createNetworkRules(config, 'oauth'), quietMs: DOCUMENT_TIMEOUT_MS, lookup });
  return { fetch: createOAuthFetch({ fetch: guarded.fetch, ...(signal && { signal }) }), close: guarded.close };
}
