import type { Duplex } from 'node:stream';
import { SandboxError } from '../errors.ts';

/** A message as it crosses the process boundary: a small JSON header and, where there is one, a payload of bytes. */
export interface Frame {
  readonly header: unknown;
  readonly payload: Buffer;
}

/** Larger than any honest frame: a result of 64 MiB, a log of 16 MiB in which every character is escaped, and the header. */
const MAX_FRAME_BYTES = 176 * 1024 * 1024;
/** Headers carry outcomes: small results, the state and small logs as JSON text inside JSON. */
const MAX_HEADER_BYTES = 72 * 1024 * 1024;
/** Two lengths, each an unsigned 32-bit integer: the header's and the payload's. */
const PREFIX_BYTES = 8;
/** Copying a payload of this size is cheaper than another piece to write. */
const COPIED_BYTES = 16_384;
/** From this length on a frame gets memory of its own before it is there. */
const LONG_FRAME_BYTES = 1024 * 1024;
const EMPTY = Buffer.alloc(0);
/** Headers of this length are parsed as they are. */
const SURE_BYTES = 256 * 1024;
/** Colons, commas and opening brackets: an outcome with a hundred thousand calls has less than half of it. */
const MAX_VALUES = 4_000_000;
const MAX_DEPTH = 64;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Sends one frame. The bytes are written at once or not at all; frames of one turn of the event loop leave in one system call.
 * @param header an object, or its JSON text.
 * @returns how many bytes it has; 0 when the stream has ended.
 * @throws SandboxError ERR_EXECUTE_RESULT_TOO_LARGE when the other side would take it for an attack and hang up.
 */
export function writeFrame(stream: Duplex, header: object | string, payload: Uint8Array = EMPTY): number {
  if (stream.destroyed || stream.writableEnded) return 0;
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const headBytes = Buffer.byteLength(text);
  if (isTooLong(headBytes, payload.length)) throw tooLong(headBytes + payload.length);
  const isSmall = payload.length <= COPIED_BYTES;
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headBytes + (isSmall ? payload.length : 0));
  frame.writeUInt32LE(headBytes, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.write(text, PREFIX_BYTES, 'utf8');
  if (isSmall) frame.set(payload, PREFIX_BYTES + headBytes);
  holdBack(stream);
  stream.write(frame);
  if (!isSmall) stream.write(payload);
  return PREFIX_BYTES + headBytes + payload.length;
}

/** Until this turn of the event loop is through with what has come in. */
function holdBack(stream: Duplex): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

/**
 * Calls `onFrame` for every frame that arrives. The other side is not trusted: lengths are checked before anything is kept, and
 * a header that is not JSON or a frame that is too long ends the connection through `onError`.
 */
export function readFrames(stream: Duplex, onFrame: (frame: Frame) => void, onError: (error: Error) => void): void {
  const parts: Buffer[] = [];
  let held = 0;
  let wanted = PREFIX_BYTES;
  let long: LongFrame | undefined;
  const fail = (message: string): false => {
    stream.destroy();
    onError(new Error(message));
    return false;
  };
  const deliver = (bytes: Buffer, headBytes: number): boolean => {
    const header = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headBytes));
    if (header === undefined) return fail('a header is not JSON');
    onFrame({ header, payload: bytes.subarray(PREFIX_BYTES + headBytes) });
    return true;
  };
  const takeFrames = (): void => {
    while (held >= wanted) {
      const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, held);
      const headBytes = bytes.readUInt32LE(0);
      const total = PREFIX_BYTES + headBytes + bytes.readUInt32LE(4);
      if (isTooLong(headBytes, bytes.readUInt32LE(4))) return void fail(`a frame of ${total} bytes is too long`);
      const complete = held >= total;
      if (!complete && total > LONG_FRAME_BYTES) long = new LongFrame(bytes, total);
      const rest = complete ? bytes.subarray(total) : bytes;
      parts.length = 0;
      if (rest.length > 0 && !long) parts.push(rest);
      held = long ? 0 : rest.length;
      wanted = complete || long ? PREFIX_BYTES : total;
      if (complete && !deliver(bytes.subarray(0, total), headBytes)) return;
    }
  };
  stream.on('data', (chunk: Buffer) => {
    const rest = long ? long.fill(chunk) : chunk;
    if (long?.isFull === true) {
      const { bytes } = long;
      long = undefined;
      if (!deliver(bytes, bytes.readUInt32LE(0))) return;
    }
    if (long || rest.length === 0) return;
    parts.push(rest);
    held += rest.length;
    takeFrames();
  });
}

/** A frame that is put in its place as it comes in: to join tens of megabytes at its end would hold up everything else. */
class LongFrame {
  readonly bytes: Buffer;
  #filled = 0;

  constructor(begun: Buffer, total: number) {
    this.bytes = Buffer.allocUnsafeSlow(total);
    this.fill(begun);
  }

  get isFull(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** @returns what belongs to the next frame. */
  fill(chunk: Buffer): Buffer {
    const count = chunk.copy(this.bytes, this.#filled);
    this.#filled += count;
    return chunk.subarray(count);
  }
}

function isTooLong(headBytes: number, payloadBytes: number): boolean {
  return headBytes > MAX_HEADER_BYTES || PREFIX_BYTES + headBytes + payloadBytes > MAX_FRAME_BYTES;
}

/** Whether a header has no more values and no deeper ones than an honest one: parsing tens of megabytes of them takes seconds. */
function isPlain(bytes: Buffer): boolean {
  let [values, depth] = [0, 0];
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) inText = !inText;
    else if (byte === BACKSLASH && inText) at++;
    else if (!inText && (byte === COMMA || byte === COLON)) values++;
    else if (!inText && (byte === OPEN_LIST || byte === OPEN_OBJECT)) {
      values++;
      depth++;
    } else if (!inText && (byte === CLOSE_LIST || byte === CLOSE_OBJECT)) depth--;
    if (values > MAX_VALUES || depth > MAX_DEPTH) return false;
  }
  return true;
}

function tooLong(bytes: number): SandboxError {
  return new SandboxError(
    'ERR_EXECUTE_RESULT_TOO_LARGE',
    `What the run takes in or gives out has ${bytes} bytes in all; it must be less than ${MAX_HEADER_BYTES}.`,
    {
      hint: 'Pass less input and state, and return and log less.',
    },
  );
}

function parseHeader(bytes: Buffer): unknown {
  if (bytes.length > SURE_BYTES && !isPlain(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
