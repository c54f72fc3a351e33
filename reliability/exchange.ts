import { Agent, request as httpRequest, type ClientRequest } from 'node:http';

/** A message of JSON-RPC as a client reads it. */
export interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What one POST came to. */
export interface Exchange {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Every message of the answer, in order. */
  readonly messages: readonly Message[];
  /** Why there is no whole answer. */
  readonly broken?: string;
}

/** A request that is on its way. */
export interface Sent {
  readonly id: number;
  readonly answered: Promise<Exchange>;
  /** Ends the connection from our side. */
  readonly drop: () => void;
  /** Whether the system has all of it. */
  readonly isSent: () => boolean;
}

export type Era = '2026-07-28' | '2025-11-25';

/** How long a client waits before it says that there was no answer, in milliseconds. */
const PATIENCE_MS = 60_000;
/** Servers wait for 5 s. */
const IDLE_MS = 1_500;
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'chaos', version: '1' },
};

/** A client of Streamable HTTP that sees everything that comes back: an SDK would hide a second answer. */
export class HttpClient {
  readonly era: Era;
  readonly #url: string;
  /** Ends connections before the server does: one that both use and end at the same moment is cut. */
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  #session: string | undefined;
  #id = 0;

  constructor(url: string, era: Era) {
    [this.#url, this.era] = [url, era];
  }

  /** Says hello, as the 2025 revision wants it: its answer names the session that cancels belong to. */
  async open(): Promise<void> {
    if (this.era === '2026-07-28') return;
    const params = { protocolVersion: this.era, capabilities: {}, clientInfo: { name: 'chaos', version: '1' } };
    const { headers } = await this.post('initialize', params).answered;
    const session = headers['mcp-session-id'];
    if (typeof session === 'string') this.#session = session;
    await this.notify('notifications/initialized');
  }

  /** Sends a request. */
  post(method: string, params: Record<string, unknown>, capabilities: object = {}): Sent {
    const id = ++this.#id;
    const meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    const all = this.era === '2026-07-28' ? { _meta: meta, ...params } : params;
    const { answered, request } = this.#send({ id, method, params: all }, params);
    return { id, answered, drop: () => void request.destroy(), isSent: () => request.writableFinished };
  }

  async notify(method: string, params: object = {}): Promise<void> {
    await this.#send({ method, params }, {}).answered;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    message: { readonly method: string; readonly id?: number; readonly params: object },
    params: Record<string, unknown>,
  ): { answered: Promise<Exchange>; request: ClientRequest } {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    const name = params['name'] ?? params['uri'];
    const request = httpRequest(this.#url, {
      method: 'POST',
      agent: this.#agent,
      timeout: PATIENCE_MS,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': this.era,
        ...(this.era === '2026-07-28' && { 'mcp-method': message.method }),
        ...(this.era === '2026-07-28' && typeof name === 'string' && { 'mcp-name': name }),
        ...(this.#session !== undefined && { 'mcp-session-id': this.#session }),
      },
    });
    const answered = readAnswer(request);
    request.end(body);
    return { answered, request };
  }
}

function readAnswer(request: ClientRequest): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const broken = (reason: string): void => resolve({ status: 0, headers: {}, messages: [], broken: reason });
  request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  request.on('error', (error) => broken(error.message));
  request.on('response', (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', (error) => broken(error.message));
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      try {
        resolve({ status, headers, messages: messagesIn(Buffer.concat(pieces).toString('utf8')) });
      } catch {
        broken(`an answer that is no JSON, with status ${status}`);
      }
    });
  });
  return promise;
}

/** One document of JSON, or the events of a stream. */
function messagesIn(body: string): Message[] {
  if (body.trim() === '') return [];
  if (body.startsWith('{')) return [JSON.parse(body) as Message];
  const data = body.split(/\r?\n\r?\n/).map((event) => [...event.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join('\n'));
  return data.filter((text) => text !== '').map((text) => JSON.parse(text) as Message);
}
