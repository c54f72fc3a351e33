import type { ServerConfig } from '../config/schema.ts';
import { pause } from './abortable.ts';
import { backOffMs } from './back-off.ts';
import type { CallAnswer } from './call.ts';
import { failedAnswer } from './call.ts';
import type { CatalogServer, CatalogTool } from './catalog.ts';
import type { Negotiation } from './connection.ts';
import { Connection } from './connection.ts';
import { connectFailure, ConnectionLost, isNegotiationFailure } from './failure.ts';
import type { LiveLogin } from './login/live-login.ts';
import { keepEqual } from './keep-equal.ts';
import { createServerLogin, type Logins } from './login/logins.ts';
import { NextTry } from './next-try.ts';
import type { UpstreamOptions } from './options.ts';
import type { Redact } from './redact.ts';
import { createRedact } from './redact.ts';
import { Relisting } from './relisting.ts';
import { ServerState, told } from './server-state.ts';
import type { ToolFilter } from './tool-filter.ts';
import { createToolFilter } from './tool-filter.ts';
import { unknownTool } from './unknown.ts';

/** A first try may take longer than anyone waits for it: launchers such as npx download first. */
const TRY_FACTOR = 4;
/** A connection that lived this long was a good one: the next retry starts from the shortest wait. */
const GOOD_MS = 10_000;
const HEALTH_CHECK_GAP_MS = 1_000;

/** One upstream server: keeps it connected, knows its tools, calls them. */
export class UpstreamServer {
  readonly name: string;
  readonly #config: ServerConfig;
  readonly #options: UpstreamOptions;
  readonly #redact: Redact;
  readonly #filter: ToolFilter;
  readonly #login: LiveLogin | undefined;
  readonly #state: ServerState;
  readonly #closing = new AbortController();
  readonly #relisting = new Relisting(() => this.#connection && this.#relist(this.#connection), this.#closing.signal);
  readonly #firstTry = Promise.withResolvers<void>();
  #settled: Promise<void> | undefined;
  #connection: Connection | undefined;
  #listed: ReadonlyMap<string, CatalogTool> = new Map();
  #negotiation: Negotiation;
  /** Why we ended the connection, where that says more than that it ended. */
  #lost: unknown;
  #lastStderr = '';
  #running: Promise<void> = Promise.resolve();
  #checkedAt = -Infinity;
  #readyAt: number | undefined;
  readonly #nextTry = new NextTry();

  constructor(
    name: string,
    config: ServerConfig,
    options: UpstreamOptions,
    { logins, onUpdate }: { logins: Logins; onUpdate: () => void },
  ) {
    this.name = name;
    this.#config = config;
    this.#options = options;
    const { log, lookup } = options;
    if (config.type !== 'stdio') this.#login = createServerLogin({ server: name, config, logins, log, lookup });
    this.#redact = createRedact(config, () => this.#login?.secrets() ?? []);
    this.#filter = createToolFilter(config.tools);
    this.#negotiation = config.type === 'http' ? 'auto' : 'legacy';
    this.#state = new ServerState(name, config.enabled, onUpdate);
    if (config.enabled) this.#running = this.#keepConnected();
    else this.#firstTry.resolve();
  }

  get snapshot(): CatalogServer {
    return this.#state.snapshot;
  }

  /** Resolves when the server is ready, has failed its first try, is disabled or closed, or the connect timeout has passed. */
  settled(): Promise<void> {
    // The patience of the first who waits is that of all: a server that hangs holds up nobody for longer.
    return (this.#settled ??= this.#settle());
  }

  async #settle(): Promise<void> {
    const timeout = new AbortController();
    const waited = pause(this.#options.connectTimeoutMs, timeout.signal).then(() => this.#noteSlow());
    await Promise.race([this.#firstTry.promise, waited]);
    timeout.abort();
  }

  /** Calls a tool. Never throws. */
  async call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<CallAnswer> {
    if (signal.aborted) return failedAnswer('ERR_EXECUTE_CANCELLED', 'the call was cancelled');
    const listed = this.#listed.get(tool);
    if (listed !== undefined && !this.#filter(tool)) {
      return failedAnswer('ERR_CALL_DENIED', `the operator does not allow the tool "${tool}" of the server "${this.name}"`);
    }
    const connection = this.#connection;
    if (connection === undefined) {
      this.#nextTry.want();
      return this.#state.unavailable();
    }
    if (listed === undefined) return unknownTool(this.snapshot, tool);
    const answer = await connection.call(listed, args, signal);
    if (!answer.ok && (answer.error.code === 'ERR_UPSTREAM_CLOSED' || answer.error.code === 'ERR_UPSTREAM_LOGIN')) this.#checkHealth();
    return answer;
  }

  /** Ends the connection and never makes another. A child process has ended when this resolves. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the server is shutting down'));
    this.#firstTry.resolve();
    await this.#running;
    await this.#login?.close();
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      this.#readyAt = undefined;
      await this.#connectOnce(signal);
      this.#firstTry.resolve();
      if (this.#readyAt !== undefined && performance.now() - this.#readyAt > GOOD_MS) failures = 0;
      // A login that is made meanwhile is a reason to try at once.
      const login = this.snapshot.state === 'login' ? this.#login : undefined;
      await this.#nextTry.wait(backOffMs(failures), signal, login && ((over) => login.changed(over)));
    }
  }

  /** Connects, if that can be done, and stays until the connection ends. Never throws. */
  async #connectOnce(closing: AbortSignal): Promise<void> {
    const { connectTimeoutMs } = this.#options;
    const tryMs = TRY_FACTOR * connectTimeoutMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new ConnectionLost(`it did not answer within ${tryMs} ms`)), tryMs);
    let connection: Connection | undefined;
    try {
      const signal = AbortSignal.any([closing, late.signal]);
      connection = await this.#open(tryMs, signal);
      await this.#adopt(connection, await connection.listTools(tryMs, signal));
      clearTimeout(timer);
      this.#readyAt = performance.now();
      this.#options.log.info(`upstream ${this.name}: connected, ${this.snapshot.tools.length} tools`);
      this.#relisting.catchUp();
      await this.#untilEnd(connection, closing);
    } catch (error) {
      if (isNegotiationFailure(error)) this.#negotiation = this.#negotiation === 'auto' ? 'legacy' : 'auto';
      this.#connection = undefined;
      this.#retryLater(late.signal.aborted ? late.signal.reason : (this.#lost ?? error));
      this.#lost = undefined;
    } finally {
      clearTimeout(timer);
      this.#connection = undefined;
      await connection?.close();
    }
  }

  #open(requestTimeoutMs: number, signal: AbortSignal): Promise<Connection> {
    return Connection.open(
      {
        name: this.name,
        config: this.#config,
        options: this.#options,
        redact: this.#redact,
        login: this.#login,
        negotiation: this.#config.type === 'sse' ? 'legacy' : this.#negotiation,
        requestTimeoutMs,
        onStderr: (line) => this.#noteStderr(line),
        onToolsChanged: () => this.#relisting.want(),
        onTrouble: (error) => this.#noteTrouble(error),
      },
      signal,
    );
  }

  async #untilEnd(connection: Connection, closing: AbortSignal): Promise<void> {
    const stop = (): void => void connection.close();
    closing.addEventListener('abort', stop, { once: true });
    if (closing.aborted) stop();
    const end = await connection.ended;
    closing.removeEventListener('abort', stop);
    if (!closing.aborted) throw new ConnectionLost(end?.reason ?? 'the connection was lost');
  }

  async #adopt(connection: Connection, listing: Awaited<ReturnType<Connection['listTools']>>): Promise<void> {
    for (const warning of listing.warnings) this.#options.log.warn(`upstream ${this.name}: ${this.#redact(warning)}`);
    this.#listed = keepEqual(this.#listed, listing.tools);
    this.#connection = connection;
    const tools = [...this.#listed.values()].filter((tool) => this.#filter(tool.name)).sort((a, b) => compare(a.name, b.name));
    const { title, instructions } = connection;
    this.#state.ready({ title: title === undefined ? undefined : this.#redact(title), instructions, tools });
    this.#firstTry.resolve();
  }

  /** Lists the tools again; a listing that fails ends the connection, which is then made anew. */
  async #relist(connection: Connection): Promise<void> {
    try {
      const listing = await connection.listTools(this.#options.connectTimeoutMs, this.#closing.signal);
      if (this.#connection === connection) await this.#adopt(connection, listing);
    } catch (error) {
      if (this.#connection !== connection) return;
      const failure = connectFailure(error, this.#config, this.#redact);
      this.#options.log.debug(`upstream ${this.name}: ${told(failure)}`);
      if (failure.needsLogin === true) this.#lost = error;
      await connection.close();
    }
  }

  #noteTrouble(error: Error): void {
    this.#options.log.debug(`upstream ${this.name}: ${this.#redact(error.message)}`);
    // A process that ends says so; a server at a URL can be gone without a word.
    if (this.#config.type !== 'stdio') this.#checkHealth();
  }

  #checkHealth(): void {
    const now = performance.now();
    if (now - this.#checkedAt < HEALTH_CHECK_GAP_MS) return;
    this.#checkedAt = now;
    this.#relisting.want();
  }

  #noteStderr(line: string): void {
    const shown = this.#redact(line);
    if (shown === '') return;
    this.#lastStderr = shown;
    this.#options.log.debug(`upstream ${this.name} stderr: ${shown}`);
  }

  #noteSlow(): void {
    if (!this.#closing.signal.aborted) this.#state.slow(this.#options.connectTimeoutMs);
  }

  #retryLater(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const failure = connectFailure(error, this.#config, this.#redact);
    // A process that ended has mostly said why.
    const hasWords = failure.detail === undefined && this.#lastStderr !== '';
    const shown = hasWords ? { ...failure, detail: `it last wrote "${this.#lastStderr}"` } : failure;
    this.#lastStderr = '';
    this.#options.log.warn(`upstream ${this.name}: ${told(shown)}`);
    this.#state.failed(shown);
  }
}

/** By UTF-16 units: the same on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
