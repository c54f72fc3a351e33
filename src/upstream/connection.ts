// oxlint-disable unicorn/prefer-add-event-listener -- the SDK's objects have handlers as properties and no addEventListener
import type { ClientOptions, RequestOptions, StandardSchemaV1, Tool } from '@modelcontextprotocol/client';
import { Client, ProtocolError } from '@modelcontextprotocol/client';
import type { ServerConfig } from '../config/schema.ts';
import { abortable } from './abortable.ts';
import type { CallAnswer } from './call.ts';
import type { CatalogTool } from './catalog.ts';
import { keepChangeStream } from './change-stream.ts';
import { callFailure, ConnectionLost } from './failure.ts';
import { HttpTransport } from './http-transport.ts';
import type { Listing } from './list-tools.ts';
import { listTools } from './list-tools.ts';
import type { LiveLogin } from './login/live-login.ts';
import { pageWithoutTokens, withoutTokens } from './login/without-tokens.ts';
import { mirroredHeaderFault } from './mirrored-headers.ts';
import type { UpstreamOptions } from './options.ts';
import { LISTING_BOUNDS, maxMessageBytes } from './options.ts';
import { withoutSecrets, type Redact } from './redact.ts';
import { StdioTransport } from './stdio-transport.ts';
import { toolAnswer } from './tool-value.ts';
import type { ConnectionEnd, UpstreamTransport } from './transport.ts';

/** `legacy`: initialize, as all servers before 2026-07-28 know it. `auto`: ask first with server/discover, which newer servers know. */
export type Negotiation = 'legacy' | 'auto';

export interface ConnectionOptions {
  readonly name: string;
  readonly config: ServerConfig;
  readonly options: UpstreamOptions;
  readonly redact: Redact;
  /** Where the tokens of a server at a URL come from. */
  readonly login: LiveLogin | undefined;
  readonly negotiation: Negotiation;
  /** How long each request of the handshake may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly onStderr: (line: string) => void;
  readonly onToolsChanged: () => void;
  /** Something about the transport went wrong that may or may not be the end. */
  readonly onTrouble: (error: Error) => void;
}

/** How long a server may take to answer server/discover, in milliseconds. Older ones may never; then initialize is tried. */
const PROBE_MS = 5_000;

/** The SDK's validator of structured content, switched off: it would run a stranger's patterns, and we deliver with a warning instead. */
const ACCEPT_ALL: NonNullable<ClientOptions['jsonSchemaValidator']> = {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type is the caller's claim, which is the point
  getValidator: () => (input: unknown) => ({ valid: true, data: input as never, errorMessage: undefined }),
};

/** Takes a result as it came: we check what we use, and what we pass on stays intact. */
const UNCHECKED: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'ampoule', validate: (value) => ({ value }) },
};

/** One MCP session with one server, from the handshake until either side ends it. */
export class Connection {
  readonly #given: ConnectionOptions;
  readonly #transport: UpstreamTransport;
  readonly #client: Client;
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<ConnectionEnd | undefined>();

  private constructor(given: ConnectionOptions) {
    this.#given = given;
    this.#transport = createTransport(given);
    this.#client = new Client(given.options.clientInfo, {
      // No sampling, elicitation or roots: a server that asks for them is told that there is no such method.
      capabilities: {},
      inputRequired: { autoFulfill: false },
      jsonSchemaValidator: ACCEPT_ALL,
      versionNegotiation: { mode: given.negotiation, probe: { timeoutMs: Math.min(PROBE_MS, given.requestTimeoutMs) } },
      // Not gathered here, where each change starts the wait again: a server that changes all the time would never be listed.
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => given.onToolsChanged() } },
    });
    this.#client.onerror = (error) => given.onTrouble(error);
    this.#client.onclose = () => this.#finish();
  }

  /**
   * Connects and shakes hands. Leaves nothing behind when that fails or is aborted.
   * @throws whatever went wrong
   */
  static async open(given: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(given);
    try {
      // Some transports wait for ever when their connection ends before it is made.
      await abortable(Promise.race([connection.#connect(signal), connection.#lost()]), signal);
      connection.#followChanges();
      return connection;
    } catch (error) {
      const { end } = connection.#transport;
      await connection.close();
      // A process that ended says more about itself than the SDK's "connection closed".
      throw end === undefined || error instanceof ProtocolError ? error : new ConnectionLost(end.reason, { cause: error });
    }
  }

  /** Resolves when the connection has ended; with a reason when that was not our doing. */
  get ended(): Promise<ConnectionEnd | undefined> {
    return this.#ended.promise;
  }

  get title(): string | undefined {
    const info = this.#client.getServerVersion();
    return info?.title ?? info?.name;
  }

  get instructions(): string | undefined {
    const text = this.#client.getInstructions();
    return text && withoutSecrets(text, this.#given.login?.secrets() ?? []);
  }

  /** All tools that the server lists now. @throws Error when it cannot or does not say */
  async listTools(timeoutMs: number, signal: AbortSignal): Promise<Listing> {
    if (this.#client.getServerCapabilities()?.tools === undefined) return { tools: new Map(), warnings: [] };
    const options: RequestOptions = { timeout: timeoutMs, signal };
    const mirrors = this.#given.config.type !== 'stdio' && this.#client.getProtocolEra() === 'modern';
    const fetchPage = async (cursor: string | undefined): Promise<unknown> => {
      const params = cursor === undefined ? {} : { cursor };
      return pageWithoutTokens(await this.#client.request({ method: 'tools/list', params }, UNCHECKED, options), this.#given.login);
    };
    return listTools(fetchPage, LISTING_BOUNDS, (tool) => (mirrors ? mirroredHeaderFault(tool.inputSchema) : undefined));
  }

  /** Calls a tool. Never throws. */
  async call(tool: CatalogTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<CallAnswer> {
    const { config, options, name, redact, login } = this.#given;
    const { maxToolResultBytes } = options;
    try {
      const result = await this.#request(tool, args, { timeout: config.timeoutMs, signal });
      return withoutTokens(toolAnswer(result, maxToolResultBytes), login);
    } catch (error) {
      const end = this.#transport.end;
      const failure = callFailure(error, { server: name, config, timeoutMs: config.timeoutMs, maxToolResultBytes, signal, end, redact });
      return withoutTokens(failure, login);
    }
  }

  /** Ends the session; a child process has ended when this resolves. */
  async close(): Promise<void> {
    await this.#client.close().catch(() => {});
    // The client forgets a transport that failed to connect; closing twice does no harm.
    await this.#transport.close().catch(() => {});
    this.#finish();
  }

  #finish(): void {
    this.#over.abort();
    this.#ended.resolve(this.#transport.end);
  }

  #connect(signal: AbortSignal): Promise<void> {
    return this.#client.connect(this.#transport, { signal, timeout: this.#given.requestTimeoutMs });
  }

  #followChanges(): void {
    const { onToolsChanged, onTrouble } = this.#given;
    void keepChangeStream(this.#client, { onReopened: onToolsChanged, onTrouble }, this.#over.signal);
  }

  /** Never resolves; rejects when the connection ends and that is not our doing. */
  #lost(): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>();
    void this.#ended.promise.then((end) => end !== undefined && reject(new ConnectionLost(end.reason)));
    return promise;
  }

  async #request(tool: CatalogTool, args: Readonly<Record<string, unknown>>, options: RequestOptions): Promise<unknown> {
    const params = { name: tool.name, arguments: { ...args } };
    if (this.#client.getProtocolEra() !== 'modern') return this.#client.request({ method: 'tools/call', params }, UNCHECKED, options);
    // In the newer protocol some arguments are mirrored in headers, which callTool knows how to do from the definition.
    // Without the output schema: for a result that breaks it the SDK would throw, and the result would be lost.
    const { outputSchema: _, ...definition } = tool;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK reads the input schema only, and checks it
    return this.#client.callTool(params, { ...options, toolDefinition: definition as unknown as Tool });
  }
}

function createTransport({ config, options, login, onStderr }: ConnectionOptions): UpstreamTransport {
  const limit = maxMessageBytes(options.maxToolResultBytes);
  if (config.type !== 'stdio') return new HttpTransport({ server: config, maxMessageBytes: limit, login, lookup: options.lookup });
  const maxKeptBytes = options.maxKeptResultBytes;
  const { baseEnvironment, families } = options;
  return new StdioTransport({ server: config, baseEnvironment, maxMessageBytes: limit, maxKeptBytes, onStderr, family: families?.name() });
}
