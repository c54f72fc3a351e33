// oxlint-disable unicorn/prefer-add-event-listener -- the SDK's objects have handlers as properties and no addEventListener
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LookupFunction } from 'node:net';
import type { JSONRPCMessage, RequestId, TransportSendOptions } from '@modelcontextprotocol/client';
import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../config/schema.ts';
import type { SandboxError } from '../errors.ts';
import { createBoundedFetch, ResponseTooLarge } from './bounded-fetch.ts';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts';
import type { LocalVerdict } from './local-reply.ts';
import { localReply } from './local-reply.ts';
import type { LiveLogin } from './login/live-login.ts';
import { withLogin } from './login/with-login.ts';
import { createNetworkRules } from './network-rules.ts';
import type { ConnectionEnd, UpstreamTransport } from './transport.ts';

export interface HttpTransportOptions {
  readonly server: HttpServerConfig;
  readonly maxMessageBytes: number;
  /** Where the tokens come from, unless the operator's headers have one. */
  readonly login?: LiveLogin | undefined;
  readonly lookup?: LookupFunction | undefined;
}

type SdkTransport = SSEClientTransport | StreamableHTTPClientTransport;

/** How long saying goodbye to a session may take, in milliseconds. */
const GOODBYE_MS = 1_000;
/** Our answers to what the server asks that it has not taken yet. Each holds a connection; who lets more come together takes none. */
const MAX_ANSWERS = 64;
/** How long a connection may be silent, in milliseconds, where the server's own timeout is not longer. */
const QUIET_MS = 300_000;

/**
 * Streamable HTTP or the older SSE transport: the SDK's, bounded in what is read, with an answer of our own for every request
 * whose stream ends without one, which the SDK would leave to its timeout.
 */
export class HttpTransport implements UpstreamTransport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<UpstreamTransport['onmessage']>;
  readonly #sdk: SdkTransport;
  readonly #guarded: GuardedFetch;
  readonly #current = new AsyncLocalStorage<RequestId>();
  /** What was asked and not answered, and what to say should its stream end. */
  readonly #pending = new Map<RequestId, LocalVerdict>();
  #answers = 0;
  #end: ConnectionEnd | undefined;
  /** The last error of ours: the older transport's event source hands on its words alone. */
  #failure: SandboxError | undefined;

  constructor({ server, maxMessageBytes, login, lookup }: HttpTransportOptions) {
    const quietMs = Math.max(QUIET_MS, server.timeoutMs);
    this.#guarded = createGuardedFetch({ rules: createNetworkRules(server, 'server'), quietMs, lookup });
    const bounded = createBoundedFetch(this.#guarded.fetch, maxMessageBytes, {
      onTooLarge: () => this.#noteTooLarge(),
      onStreamEnd: () => this.#noteStreamEnd(),
    });
    const { fetch, authProvider } = withLogin(bounded, login, (error) => (this.#failure = error));
    // Redirects are followed within the origin alone, so tokens and the operator's headers go nowhere else.
    const options = {
      requestInit: { headers: server.headers },
      fetch,
      redirectPolicy: 'same-origin',
      onInsufficientScope: 'throw',
      ...(authProvider && { authProvider }),
    } as const;
    const url = new URL(server.url);
    this.#sdk = server.type === 'sse' ? new SSEClientTransport(url, options) : new StreamableHTTPClientTransport(url, options);
    this.#sdk.onclose = () => this.onclose?.();
    this.#sdk.onerror = (error) => this.onerror?.(error);
    this.#sdk.onmessage = (message) => this.#receive(message);
  }

  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  get hasPerRequestStream(): boolean {
    return this.#sdk instanceof StreamableHTTPClientTransport;
  }

  get sessionId(): string | undefined {
    return this.#sdk instanceof StreamableHTTPClientTransport ? this.#sdk.sessionId : undefined;
  }

  setProtocolVersion(version: string): void {
    this.#sdk.setProtocolVersion(version);
  }

  async start(): Promise<void> {
    try {
      await this.#sdk.start();
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    if ('method' in message) return this.#sendOne(message, options);
    if (this.#answers >= MAX_ANSWERS) return this.#finish({ reason: 'it does not take the answers to what it asks', oversized: false });
    this.#answers++;
    try {
      await this.#sendOne(message, options);
    } finally {
      this.#answers--;
    }
  }

  async #sendOne(message: JSONRPCMessage, options: TransportSendOptions): Promise<void> {
    if (!(this.#sdk instanceof StreamableHTTPClientTransport)) return this.#sdk.send(message);
    const sdk = this.#sdk;
    const given = definedOnly(options);
    if (!('method' in message) || !('id' in message)) return sdk.send(message, given);
    const { id } = message;
    this.#pending.set(id, 'closed');
    options.requestSignal?.addEventListener('abort', () => this.#pending.delete(id), { once: true });
    const onRequestStreamEnd = (): void => {
      options.onRequestStreamEnd?.();
      this.#answerInPlace(id);
    };
    try {
      await this.#current.run(id, () => sdk.send(message, { ...given, onRequestStreamEnd }));
    } catch (error) {
      const verdict = this.#pending.get(id);
      this.#pending.delete(id);
      throw verdict === 'oversized' ? new ResponseTooLarge('the response is over the limit', { cause: error }) : error;
    }
  }

  async close(): Promise<void> {
    if (this.#sdk instanceof StreamableHTTPClientTransport && this.#end === undefined) await goodbye(this.#sdk);
    await this.#sdk.close();
    await this.#guarded.close();
  }

  #receive(message: JSONRPCMessage): void {
    if (!('method' in message) && message.id !== undefined) this.#pending.delete(message.id);
    this.onmessage?.(message);
  }

  #answerInPlace(id: RequestId): void {
    // After what has already been read: an answer that came before the end is the answer.
    setImmediate(() => {
      const verdict = this.#pending.get(id);
      if (verdict === undefined) return;
      this.#pending.delete(id);
      this.onmessage?.(localReply(id, verdict));
    });
  }

  #noteTooLarge(): void {
    const id = this.#current.getStore();
    if (id !== undefined && this.#pending.has(id)) this.#pending.set(id, 'oversized');
    if (this.#sdk instanceof SSEClientTransport) this.#finish({ reason: 'it sent a message over the size limit', oversized: true });
  }

  /** The older transport has one stream for all answers, so without it the connection is over. */
  #noteStreamEnd(): void {
    if (this.#sdk instanceof SSEClientTransport) this.#finish({ reason: 'the server ended the connection', oversized: false });
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    void this.#sdk.close().catch(() => {});
  }
}

async function goodbye(sdk: StreamableHTTPClientTransport): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, GOODBYE_MS);
  // A server that is gone cannot be told.
  await Promise.race([sdk.terminateSession().catch(() => {}), late]);
  clearTimeout(timer);
}

/** The SDK's declarations want absent keys where its own types have undefined ones. */
function definedOnly(options: TransportSendOptions): {
  resumptionToken?: string;
  requestSignal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
} {
  const { resumptionToken, requestSignal, headers } = options;
  return { ...(resumptionToken && { resumptionToken }), ...(requestSignal && { requestSignal }), ...(headers && { headers }) };
}
