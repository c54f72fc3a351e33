import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readFrames, writeFrame, type Frame } from '../../src/execute/frames.ts';

/** The bytes that writeFrame sends for each of the messages. */
function encode(...messages: [header: object, payload?: Uint8Array][]): Buffer {
  const parts: Buffer[] = [];
  const sink = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  for (const [header, payload] of messages) writeFrame(sink, header, payload);
  // What one turn writes is held back until it is over.
  sink.uncork();
  return Buffer.concat(parts);
}

/** What readFrames makes of chunks. */
function decode(chunks: readonly Uint8Array[]): { frames: Frame[]; error: string | undefined; destroyed: boolean } {
  const stream = new PassThrough();
  const frames: Frame[] = [];
  const seen: { error?: string } = {};
  readFrames(
    stream,
    (frame) => frames.push(frame),
    (error) => (seen.error = error.message),
  );
  for (const chunk of chunks) stream.emit('data', Buffer.from(chunk));
  return { frames, error: seen.error, destroyed: stream.destroyed };
}

function prefix(headBytes: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(headBytes, 0);
  bytes.writeUInt32LE(payloadBytes, 4);
  return bytes;
}

const HEADER = { type: 'made', text: 'größe 😀 \u0000"' };
const PAYLOAD = Uint8Array.from({ length: 40 }, (_, i) => i * 6);

test('a message split at every byte arrives whole, and so does the one after it', () => {
  const bytes = encode([HEADER, PAYLOAD], [{ next: true }]);
  for (let at = 0; at <= bytes.length; at++) {
    const { frames, error } = decode([bytes.subarray(0, at), bytes.subarray(at)]);
    expect(error).toBeUndefined();
    expect(frames.map(({ header }) => header)).toEqual([HEADER, { next: true }]);
    expect(new Uint8Array(frames[0]?.payload ?? [])).toEqual(PAYLOAD);
  }
});

test('a message that arrives byte by byte arrives whole', () => {
  const bytes = encode([HEADER, PAYLOAD]);
  const { frames } = decode([...bytes].map((byte) => Uint8Array.of(byte)));
  expect(frames).toHaveLength(1);
  expect(frames[0]?.header).toEqual(HEADER);
});

test('a thousand messages in one chunk arrive in order', () => {
  const messages = Array.from({ length: 1_000 }, (_, i): [object, Uint8Array] => [{ i }, Uint8Array.of(i & 255)]);
  const { frames } = decode([encode(...messages)]);
  expect(frames.map(({ header }) => (header as { i: number }).i)).toEqual(messages.map((_, i) => i));
  expect(frames.every(({ payload }, i) => payload.length === 1 && payload[0] === (i & 255))).toBe(true);
});

test.each([
  ['a header of 4 GiB', prefix(0xffff_ffff, 0)],
  ['a payload of 4 GiB', prefix(2, 0xffff_ffff)],
  ['both of 4 GiB, whose sum is over 32 bits', prefix(0xffff_ffff, 0xffff_ffff)],
  ['a header just over its bound', prefix(72 * 1024 * 1024 + 1, 0)],
  ['a frame just over its bound', prefix(2, 176 * 1024 * 1024 - 9)],
])('%s ends the connection before any of it has arrived', (_what, bytes) => {
  const { frames, error, destroyed } = decode([bytes]);
  expect(error).toContain('too long');
  expect(destroyed).toBe(true);
  expect(frames).toEqual([]);
});

test('a frame at its bound is waited for', () => {
  expect(decode([prefix(2, 176 * 1024 * 1024 - 10)])).toMatchObject({ error: undefined, destroyed: false });
});

test.each([
  ['not JSON', '{"a":'],
  ['empty', ''],
  ['bytes that are not UTF-8', '\u00ff\u00fe'],
])('a header that is %s ends the connection', (_what, text) => {
  const head = Buffer.from(text, 'latin1');
  const { frames, error, destroyed } = decode([Buffer.concat([prefix(head.length, 0), head])]);
  expect({ frames, error, destroyed }).toEqual({ frames: [], error: 'a header is not JSON', destroyed: true });
});

test('frames before a bad one are delivered and those after it are not', () => {
  const bad = Buffer.concat([prefix(1, 0), Buffer.from('x')]);
  const { frames, error } = decode([Buffer.concat([encode([{ n: 1 }]), bad, encode([{ n: 2 }])])]);
  expect(frames.map(({ header }) => header)).toEqual([{ n: 1 }]);
  expect(error).toBe('a header is not JSON');
});

test('what the other side would hang up on is not sent at all', () => {
  const sent: unknown[] = [];
  const sink = new Duplex({ read: () => undefined, write: (chunk, _encoding, done) => (sent.push(chunk), done()) });
  expect(() => writeFrame(sink, {}, new Uint8Array(176 * 1024 * 1024))).toThrow(
    expect.objectContaining({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE' }),
  );
  expect(sent).toEqual([]);
});

test('the frames of one turn leave in one write, and whole', async () => {
  const writes: Buffer[][] = [];
  const sink = new Duplex({
    read: () => undefined,
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => chunk as Buffer));
      done();
    },
  });
  writeFrame(sink, { n: 1 }, PAYLOAD);
  await Promise.resolve();
  writeFrame(sink, { n: 2 }, new Uint8Array(100_000).fill(7));
  writeFrame(sink, '{"n":3}');
  expect(writes).toEqual([]);
  await new Promise((resolve) => void setTimeout(resolve, 5));
  expect(writes).toHaveLength(1);
  const { frames } = decode([Buffer.concat(writes[0] ?? [])]);
  expect(frames.map(({ header, payload }) => [header, payload.length, payload.at(-1)])).toEqual([
    [{ n: 1 }, 40, PAYLOAD.at(-1)],
    [{ n: 2 }, 100_000, 7],
    [{ n: 3 }, 0, undefined],
  ]);
});

test('writing to a connection that has ended does nothing', () => {
  const stream = new PassThrough();
  stream.end();
  expect(() => writeFrame(stream, HEADER, PAYLOAD)).not.toThrow();
  stream.destroy();
  expect(() => writeFrame(stream, HEADER)).not.toThrow();
});

test('a long header with as many values as an honest one may have arrives, and one with more does not', () => {
  const list = (values: number): Buffer => Buffer.from(`[${'0,'.repeat(values - 2)}0]`);
  const frame = (header: Buffer): Buffer => Buffer.concat([prefix(header.length, 0), header]);
  expect(decode([frame(list(4_000_001))]).error).toBeUndefined();
  expect(decode([frame(list(4_000_002))]).error).toBe('a header is not JSON');
  const long = `"${'[{,:'.repeat(1_100_000)}\\"${'['.repeat(100)}"`;
  expect(decode([frame(Buffer.from(long))]).error).toBeUndefined();
});

test('a long header may be nested 64 deep, and no deeper', () => {
  const nested = (depth: number): Buffer => Buffer.from(`${'['.repeat(depth)}"${'x'.repeat(300_000)}"${']'.repeat(depth)}`);
  const frame = (header: Buffer): Buffer => Buffer.concat([prefix(header.length, 0), header]);
  expect(decode([frame(nested(64))]).error).toBeUndefined();
  expect(decode([frame(nested(65))]).error).toBe('a header is not JSON');
});
