import type { ServerConfig } from '../config/schema.ts';
import { abortable } from './abortable.ts';
import type { CallAnswer, UpstreamCall } from './call.ts';
import { failedAnswer } from './call.ts';
import type { Catalog } from './catalog.ts';
import { Logins } from './login/logins.ts';
import type { UpstreamOptions } from './options.ts';
import { DEFAULT_CONNECT_TIMEOUT_MS } from './options.ts';
import { ProcessFamilies } from './process-family.ts';
import { compare, UpstreamServer } from './server.ts';
import { unknownServer } from './unknown.ts';

/** Changes that come together are told together. */
const DEBOUNCE_MS = 50;

/** All upstream servers of the operator. */
export interface Upstreams extends AsyncDisposable {
  /** What there is now: a new object after every change, the same one while nothing changes. */
  catalog(): Catalog;
  /** Tells of changes of the catalog, a few at a time. Returns what stops it. */
  onChange(listener: (catalog: Catalog) => void): () => void;
  /**
   * Resolves when every enabled server is ready or has failed its first try, or its connect timeout has passed.
   * @param names of the servers that it is about; absent: all
   * @throws the signal's reason
   */
  settled(signal?: AbortSignal, names?: ReadonlySet<string>): Promise<void>;
  /** Calls a tool; when the signal fires the call is cancelled upstream. Never throws: what went wrong is in the answer. */
  call(call: UpstreamCall, signal: AbortSignal): Promise<CallAnswer>;
  /** Ends all connections and child processes. */
  close(): Promise<void>;
}

/** Starts to connect to all enabled servers, and keeps at it until closed. One that fails never holds up another. */
export function connectUpstreams(
  servers: Readonly<Record<string, ServerConfig>>,
  options: Omit<UpstreamOptions, 'connectTimeoutMs'> & { readonly connectTimeoutMs?: number },
): Upstreams {
  return new ConnectedUpstreams(servers, { ...options, connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS });
}

class ConnectedUpstreams implements Upstreams {
  readonly #servers: ReadonlyMap<string, UpstreamServer>;
  readonly #options: UpstreamOptions;
  readonly #logins: Logins;
  readonly #families = new ProcessFamilies();
  readonly #listeners = new Set<(catalog: Catalog) => void>();
  #catalog: Catalog;
  #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(servers: Readonly<Record<string, ServerConfig>>, given: UpstreamOptions) {
    const options = { ...given, families: this.#families };
    this.#options = options;
    const entries = Object.entries(servers).sort(([a], [b]) => compare(a, b));
    this.#logins = new Logins(options.logins);
    const shared = { logins: this.#logins, onUpdate: () => this.#update() };
    this.#servers = new Map(entries.map(([name, config]) => [name, new UpstreamServer(name, config, options, shared)]));
    this.#catalog = this.#assemble();
  }

  catalog(): Catalog {
    return this.#catalog;
  }

  onChange(listener: (catalog: Catalog) => void): () => void {
    // Wrapped, so that the same function may listen twice and each stop ends its own.
    const own = (catalog: Catalog): void => listener(catalog);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async settled(signal: AbortSignal = new AbortController().signal, names?: ReadonlySet<string>): Promise<void> {
    const servers = [...this.#servers.values()].filter(({ name }) => names === undefined || names.has(name));
    await abortable(Promise.all(servers.map((server) => server.settled())), signal);
  }

  async call(call: UpstreamCall, signal: AbortSignal): Promise<CallAnswer> {
    if (this.#closed !== undefined) return failedAnswer('ERR_UPSTREAM_UNAVAILABLE', 'the upstream servers are being shut down');
    const server = this.#servers.get(call.server);
    if (server === undefined) return unknownServer(call.server, [...this.#servers.keys()]);
    return server.call(call.tool, call.arguments, signal);
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#listeners.clear();
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
    this.#families.close();
    this.#logins.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #update(): void {
    this.#catalog = this.#assemble();
    if (this.#closed !== undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) this.#tell(listener);
    }, DEBOUNCE_MS);
  }

  #tell(listener: (catalog: Catalog) => void): void {
    try {
      listener(this.#catalog);
    } catch (error) {
      this.#options.log.warn('a listener to catalog changes threw', { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #assemble(): Catalog {
    const servers = [...this.#servers.values()].map((server) => server.snapshot);
    return Object.freeze({ servers: Object.freeze(servers) });
  }
}
