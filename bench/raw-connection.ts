import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * One kept connection that posts JSON-RPC of the stateless revision 2026-07-28, one request at a time. It does as little as can be
 * done, because the SDK's client costs about as much as the server under test.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #head: string;
  #received: Buffer = Buffer.alloc(0);
  #settle: { resolve: (body: string) => void; reject: (reason: Error) => void } | undefined;

  constructor(url: string) {
    const { hostname, port, pathname } = new URL(url);
    this.#head = [
      `POST ${pathname} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      'mcp-protocol-version: 2026-07-28',
      'mcp-method: tools/call',
      'mcp-name: ',
    ].join('\r\n');
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (piece) => this.#take(piece));
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () => this.#settle?.reject(new Error('the connection ended')));
  }

  /** The structured answer to one call of `execute_code`. */
  async execute(args: object): Promise<StructuredAnswer> {
    const answer = await this.call('execute_code', args);
    if (answer.status !== 'completed') throw new Error(`a run of the benchmark failed: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  }

  /** The structured answer to one call of any tool, whatever it says. @throws Error when there is none */
  async call(tool: string, args: object): Promise<StructuredAnswer> {
    const body = callBody(tool, args);
    const answer = await new Promise<string>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(`${this.#head}${tool}\r\ncontent-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`);
    });
    const { result } = JSON.parse(answer) as { result?: { structuredContent?: StructuredAnswer } };
    if (!result?.structuredContent) throw new Error(`a call of the benchmark failed: ${answer.slice(0, 500)}`);
    return result.structuredContent;
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    const body = bodyOf(this.#received);
    if (body === undefined) return;
    this.#received = Buffer.alloc(0);
    this.#settle?.resolve(body);
  }
}

/** What the benchmark reads of an answer. */
export interface StructuredAnswer {
  readonly status: string;
  readonly usage: { readonly phases: Readonly<Record<string, number>>; readonly activeMs: number; readonly waitingMs: number };
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

function callBody(name: string, args: object): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { _meta: META, name, arguments: args },
  });
}

/** The JSON of a whole response, chunked or not, in an event or not; undefined while some of it is missing. */
function bodyOf(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end).toLowerCase();
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  const start = end + HEAD_END.length;
  if (length !== undefined) return bytes.length < start + Number(length) ? undefined : bytes.toString('utf8', start);
  if (bytes.toString('latin1', bytes.length - 5) !== '0\r\n\r\n') return undefined;
  const text = dechunk(bytes, start);
  return head.includes('text/event-stream') ? (/^data: (.*)$/m.exec(text.slice(text.lastIndexOf('data: ')))?.[1] ?? '') : text;
}

function dechunk(bytes: Buffer, from: number): string {
  const parts: Buffer[] = [];
  for (let at = from; at < bytes.length;) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts).toString('utf8');
}
