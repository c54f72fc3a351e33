import type { Duplex } from 'node:stream';
import { SandboxError } from '../errors.ts';

/** A message as it crosses the process boundary: a small JSON header and, where there is one, a payload of bytes. */
export interface Frame {
  readonly header: unknown;
  readonly payload: Buffer;
}

/** Larger than any honest frame: a tool result or a program of 64 MiB and its header. */
const MAX_FRAME_BYTES = 80 * 1024 * 1024;
/** Headers carry outcomes: result, state and logs as JSON text inside JSON. */
const MAX_HEADER_BYTES = 72 * 1024 * 1024;
/** Two lengths, each an unsigned 32-bit integer: the header's and the payload's. */
const PREFIX_BYTES = 8;
/** Copying a payload of this size is cheaper than another piece to write. */
const COPIED_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);

/**
 * Sends one frame. The bytes are written at once or not at all; frames of one turn of the event loop leave in one system call.
 * @param header an object, or its JSON text.
 * @throws SandboxError ERR_EXECUTE_RESULT_TOO_LARGE when the other side would take it for an attack and hang up.
 */
export function writeFrame(stream: Duplex, header: object | string, payload: Uint8Array = EMPTY): void {
  if (stream.destroyed || stream.writableEnded) return;
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
  const fail = (message: string): void => {
    stream.destroy();
    onError(new Error(message));
  };
  const takeFrames = (): void => {
    while (held >= wanted) {
      const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, held);
      const headBytes = bytes.readUInt32LE(0);
      const total = PREFIX_BYTES + headBytes + bytes.readUInt32LE(4);
      if (isTooLong(headBytes, bytes.readUInt32LE(4))) return fail(`a frame of ${total} bytes is too long`);
      const complete = held >= total;
      const rest = complete ? bytes.subarray(total) : bytes;
      parts.length = 0;
      if (rest.length > 0) parts.push(rest);
      held = rest.length;
      wanted = complete ? PREFIX_BYTES : total;
      if (!complete) continue;
      const header = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headBytes));
      if (header === undefined) return fail('a header is not JSON');
      onFrame({ header, payload: bytes.subarray(PREFIX_BYTES + headBytes, total) });
    }
  };
  stream.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    held += chunk.length;
    takeFrames();
  });
}

function isTooLong(headBytes: number, payloadBytes: number): boolean {
  return headBytes > MAX_HEADER_BYTES || PREFIX_BYTES + headBytes + payloadBytes > MAX_FRAME_BYTES;
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
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
