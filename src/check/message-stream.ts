/** One JSON-RPC message: a request has a method and an id, an answer an id alone. */
export interface RpcMessage {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: string };
}

/** Larger than all that the checker says of any program; more is not kept. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_HEAD_BYTES = 4_096;
const HEAD_END = Buffer.from('\r\n\r\n');

/** The bytes of a message, with the header that says how long it is. */
export function encodeMessage(message: object): string {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message });
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Puts messages together from the pieces of a stream. */
export class MessageReader {
  readonly #onMessage: (message: RpcMessage) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before looking again makes sense. */
  #wanted = 0;

  constructor(onMessage: (message: RpcMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** @throws SyntaxError when the stream is not one of messages */
  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#wanted) return;
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    for (;;) {
      const body = bodyOf(rest);
      if (body === undefined || rest.length < body.end) {
        this.#wanted = body?.end ?? 0;
        break;
      }
      const text = rest.toString('utf8', body.start, body.end);
      rest = rest.subarray(body.end);
      this.#onMessage(JSON.parse(text) as RpcMessage);
    }
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }
}

function bodyOf(bytes: Buffer): { start: number; end: number } | undefined {
  const head = bytes.indexOf(HEAD_END);
  if (head > MAX_HEAD_BYTES || (head < 0 && bytes.length > MAX_HEAD_BYTES)) throw new SyntaxError('a message without an end of its head');
  if (head < 0) return undefined;
  const length = /content-length: *(\d+)/iu.exec(bytes.toString('latin1', 0, head))?.[1];
  if (length === undefined) throw new SyntaxError('a message without its length');
  if (Number(length) > MAX_MESSAGE_BYTES) throw new SyntaxError(`a message of ${length} bytes`);
  const start = head + HEAD_END.length;
  return { start, end: start + Number(length) };
}
