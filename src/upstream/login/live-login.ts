import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { SandboxError } from '../../errors.ts';
import { pause } from '../abortable.ts';
import type { UpstreamLog } from '../options.ts';
import type { HeldLogin, LoginStore } from './login-store.ts';
import { endedLogin, isDue, secretsOf, type Login } from './record.ts';
import { belongs, refreshed } from './tokens.ts';

/** Where a server's connection gets its tokens from. */
export interface LiveLogin {
  /** The token for the next request; undefined when nobody has logged in. @throws SandboxError ERR_UPSTREAM_LOGIN, ERR_UPSTREAM_LOGIN_FAILED */
  token(): Promise<string | undefined>;
  /** The server did not take this token (undefined: none was sent). Resolves when there is another to try. @throws as `token` */
  rejected(token: string | undefined): Promise<void>;
  /** Tokens that may still be worth something to somebody: nothing that is shown may have them. */
  secrets(): readonly string[];
  /** Resolves when another login was stored, or the signal fires. Never rejects. */
  changed(signal: AbortSignal): Promise<void>;
  /** Waits for a refresh that is under way, a few seconds at most: its tokens would be lost. */
  close(): Promise<void>;
}

export interface LiveLoginOptions {
  readonly server: string;
  readonly config: HttpServerConfig;
  /** The store, once there is one; asked for again each time. @throws SandboxError ERR_UPSTREAM_LOGIN_STORE */
  readonly store: () => LoginStore | undefined;
  /** Of {@link createOAuthFetch}. */
  readonly fetch: FetchLike;
  /** Ends its connections. */
  readonly closeFetch: () => Promise<void>;
  readonly log: UpstreamLog;
}

/** How long what was read of the store holds; so soon a login or logout by another process is noticed. */
const REREAD_MS = 1_000;
/** Longer than a refresh can take, so that no two processes ever use the same refresh token. */
const LEASE_MS = 30_000;
const LEASE_POLL_MS = 50;
/** After a refresh that failed for now, the next one waits. */
const RETRY_MS = 5_000;
/** A server that refuses token after token does not make us refresh at full speed. */
const FORCED_GAP_MS = 10_000;
const CLOSE_MS = 5_000;
/** The tokens of this and the last two refreshes, and the client's secret. */
const MAX_SECRETS = 7;

/** Tokens of `ampoule login`, refreshed in time: once for all calls of this process, and once for all processes. */
export class StoredLogin implements LiveLogin {
  readonly #options: LiveLoginOptions;
  readonly #owner = randomUUID();
  readonly #secrets = new Set<string>();
  #held: HeldLogin | undefined;
  /** The number of the writing that was seen last, whoever it was for. */
  #seen: number | undefined;
  #readAt = -Infinity;
  #refreshing: Promise<HeldLogin> | undefined;
  #failure: { readonly error: SandboxError; readonly at: number } | undefined;
  #forcedAt = -Infinity;

  constructor(options: LiveLoginOptions) {
    this.#options = options;
  }

  async token(): Promise<string | undefined> {
    const held = this.#read();
    if (held === undefined) return undefined;
    if (held.login.ended !== undefined) throw this.#needed(held.login.ended);
    if (!isDue(held.login)) return held.login.accessToken;
    try {
      return (await this.#refresh(held)).login.accessToken;
    } catch (error) {
      const isOver = held.login.expiresAt !== undefined && held.login.expiresAt <= Date.now();
      if (isOver || isFinal(error)) throw error;
      return held.login.accessToken;
    }
  }

  async rejected(token: string | undefined): Promise<void> {
    const before = this.#held;
    if (before !== undefined && before.login.accessToken !== token && before.login.ended === undefined) return;
    this.#readAt = -Infinity;
    const held = this.#read();
    if (held === undefined || token === undefined) throw this.#needed(undefined);
    if (held.login.accessToken !== token && held.login.ended === undefined) return;
    if (held.login.ended !== undefined) throw this.#needed(held.login.ended);
    const now = performance.now();
    if (held.login.refreshToken === undefined || (this.#refreshing === undefined && now - this.#forcedAt < FORCED_GAP_MS)) {
      throw this.#needed('the server does not take its token');
    }
    this.#forcedAt = now;
    await this.#refresh(held);
  }

  secrets(): readonly string[] {
    return [...this.#secrets];
  }

  async changed(signal: AbortSignal): Promise<void> {
    do await pause(REREAD_MS, signal);
    while (!signal.aborted && this.#revision() === this.#seen);
    this.#readAt = -Infinity;
    this.#forcedAt = -Infinity;
    this.#failure = undefined;
  }

  async close(): Promise<void> {
    if (this.#refreshing !== undefined) {
      await Promise.race([this.#refreshing.catch(() => undefined), sleep(CLOSE_MS, undefined, { ref: false })]);
    }
    await this.#options.closeFetch();
  }

  /** While the store cannot be read nothing changes: that is told where a token is asked for. */
  #revision(): number | undefined {
    try {
      return this.#options.store()?.revision(this.#options.server);
    } catch {
      return this.#seen;
    }
  }

  #read(): HeldLogin | undefined {
    const now = performance.now();
    if (now - this.#readAt < REREAD_MS) return this.#held;
    const { store, server, config } = this.#options;
    const opened = store();
    this.#seen = opened?.revision(server);
    if (this.#seen !== this.#held?.revision) {
      const found = opened?.read(server);
      // Tokens for another URL, issuer or client stay where they are.
      this.#hold(found !== undefined && belongs(found.login, config) ? found : undefined);
    }
    this.#readAt = now;
    return this.#held;
  }

  #hold(held: HeldLogin | undefined): HeldLogin | undefined {
    this.#held = held;
    this.#seen = held?.revision ?? this.#seen;
    for (const secret of held === undefined ? [] : secretsOf(held.login)) {
      // The newest last.
      this.#secrets.delete(secret);
      this.#secrets.add(secret);
    }
    for (const oldest of [...this.#secrets].slice(0, Math.max(0, this.#secrets.size - MAX_SECRETS))) this.#secrets.delete(oldest);
    return held;
  }

  /** One refresh at a time, whoever asks for it. */
  #refresh(held: HeldLogin): Promise<HeldLogin> {
    if (this.#refreshing === undefined && this.#failure !== undefined && performance.now() - this.#failure.at < RETRY_MS) {
      return Promise.reject(this.#failure.error);
    }
    this.#refreshing ??= this.#refreshOnce(held).finally(() => {
      this.#refreshing = undefined;
      this.#readAt = -Infinity;
    });
    return this.#refreshing;
  }

  async #refreshOnce(held: HeldLogin): Promise<HeldLogin> {
    const { store: open, server } = this.#options;
    const store = open();
    if (store === undefined) throw this.#needed(undefined);
    const other = await this.#leaseOrOther(store, held);
    if (other !== undefined) return other;
    try {
      return await this.#refreshLeased(store, held.login);
    } finally {
      // Where the new tokens were written there is no lease left; a store that fails here has been told of already.
      try {
        store.giveBack(server, this.#owner);
      } catch {
        this.#options.log.debug(`upstream ${server}: the lease of its login could not be given back`);
      }
    }
  }

  /** Undefined with the lease taken; else the login that another process stored meanwhile. */
  async #leaseOrOther(store: LoginStore, held: HeldLogin): Promise<HeldLogin | undefined> {
    const { server } = this.#options;
    for (const end = performance.now() + LEASE_MS + 5_000; performance.now() < end;) {
      if (store.lease(server, held.revision, this.#owner, LEASE_MS)) return undefined;
      if (store.revision(server) !== held.revision) return this.#other(store);
      await sleep(LEASE_POLL_MS);
    }
    throw new SandboxError('ERR_UPSTREAM_LOGIN_FAILED', 'Another process has been refreshing the login for too long.');
  }

  /** The login that somebody stored meanwhile: another process, or a person who logged in again. @throws when that one was to log out */
  #other(store: LoginStore): HeldLogin {
    const { server, config } = this.#options;
    const now = store.read(server);
    this.#hold(now !== undefined && belongs(now.login, config) ? now : undefined);
    if (this.#held === undefined) throw this.#needed(undefined);
    if (this.#held.login.ended !== undefined) throw this.#needed(this.#held.login.ended);
    return this.#held;
  }

  async #refreshLeased(store: LoginStore, login: Login): Promise<HeldLogin> {
    const { server, config, fetch, log } = this.#options;
    try {
      const fresh = await refreshed(login, config, fetch);
      this.#failure = undefined;
      const held = this.#keep(store, fresh);
      log.debug(`upstream ${server}: its login was refreshed`);
      return held;
    } catch (error) {
      if (isFinal(error)) {
        this.#keep(store, endedLogin(login, error.message));
        throw this.#needed(error.message);
      }
      const coded =
        error instanceof SandboxError ? error : new SandboxError('ERR_UPSTREAM_LOGIN_FAILED', 'The login could not be refreshed.');
      this.#failure = { error: coded, at: performance.now() };
      throw coded;
    }
  }

  /** The old refresh token is used up: new tokens that cannot be written are used from memory. */
  #keep(store: LoginStore, login: Login): HeldLogin {
    const { server, log } = this.#options;
    try {
      const written = store.replace(server, this.#owner, login);
      if (written !== undefined) {
        this.#hold(written);
        return written;
      }
    } catch {
      log.warn(`upstream ${server}: its refreshed login could not be stored: it has to be made again after a restart`);
      const unwritten = { revision: this.#held?.revision ?? 0, login };
      this.#hold(unwritten);
      return unwritten;
    }
    return this.#other(store);
  }

  #needed(why: string | undefined): SandboxError {
    const { server, config } = this.#options;
    const hasHeaders = Object.keys(config.headers).length > 0;
    return loginNeeded(server, why ?? (hasHeaders && this.#held === undefined ? 'or correct its headers in the config' : undefined));
  }
}

/** The error that says what the operator has to do. */
export function loginNeeded(server: string, why?: string): SandboxError {
  const because = why === undefined ? '' : ` (${why})`;
  return new SandboxError('ERR_UPSTREAM_LOGIN', `it needs a login: run "ampoule login ${server}"${because}`);
}

function isFinal(error: unknown): error is SandboxError {
  return error instanceof SandboxError && error.code === 'ERR_UPSTREAM_LOGIN';
}
