import { Duplex, PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { commandSchema, eventSchema, isWhole } from '../../src/execute/executor-protocol.ts';
import { readFrames, writeFrame, type Frame } from '../../src/execute/frames.ts';
import { property } from './property.ts';

/** What arrives when bytes come in these pieces. */
function received(bytes: Buffer, cuts: readonly number[]): { frames: Frame[]; error: string | undefined } {
  const stream = new PassThrough();
  const frames: Frame[] = [];
  const seen: { error?: string } = {};
  readFrames(
    stream,
    (frame) => frames.push({ header: frame.header, payload: Buffer.from(frame.payload) }),
    (error) => (seen.error = error.message),
  );
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, place] of places.slice(1).entries()) {
    if (!stream.destroyed) stream.emit('data', Buffer.from(bytes.subarray(places[index], place)));
  }
  return { frames, error: seen.error };
}

function sent(messages: readonly (readonly [unknown, Uint8Array])[]): Buffer {
  const parts: Buffer[] = [];
  const sink = new Duplex({ read: () => undefined, write: (chunk: Buffer, _encoding, done) => (parts.push(Buffer.from(chunk)), done()) });
  for (const [header, payload] of messages) writeFrame(sink, JSON.stringify(header), payload);
  sink.uncork();
  return Buffer.concat(parts);
}

const messages = fc.array(fc.tuple(fc.jsonValue({ stringUnit: 'binary' }), fc.uint8Array({ maxLength: 40 })), { maxLength: 5 });
const cuts = fc.array(fc.nat(1_000), { maxLength: 12 });

property('frames arrive as they were sent, however they are cut', 300, fc.tuple(messages, cuts), ([list, places]) => {
  const { frames, error } = received(sent(list), places);
  expect(error).toBeUndefined();
  expect(frames.map(({ header, payload }) => [JSON.stringify(header), payload.toString('hex')])).toEqual(
    list.map(([header, payload]) => [JSON.stringify(header), Buffer.from(payload).toString('hex')]),
  );
});

property(
  'a long frame arrives as it was sent, with what comes after it',
  12,
  fc.tuple(fc.nat(40_000), cuts, fc.uint8Array({ maxLength: 9 })),
  ([more, places, tail]) => {
    const payload = new Uint8Array(1024 * 1024 + more).fill(7);
    const spread = places.map((place) => place * 1_100);
    const { frames, error } = received(
      sent([
        [{ n: 1 }, payload],
        [{ n: 2 }, tail],
      ]),
      spread,
    );
    expect(error).toBeUndefined();
    expect(frames.map(({ payload }) => payload.length)).toEqual([payload.length, tail.length]);
    expect(Buffer.compare(frames[0]?.payload ?? Buffer.alloc(0), Buffer.from(payload))).toBe(0);
  },
);

/** Bytes that begin like frames and go on as they like. */
const rubbish = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.tuple(fc.oneof(fc.nat(40), fc.nat(2 ** 32 - 1)), fc.oneof(fc.nat(40), fc.nat(2 ** 32 - 1))),
      messages,
    ),
    { maxLength: 4 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map((part) => {
        if (part instanceof Uint8Array) return Buffer.from(part);
        if (!isLengths(part)) return sent(part);
        const prefix = Buffer.alloc(8);
        prefix.writeUInt32LE(part[0], 0);
        prefix.writeUInt32LE(part[1], 4);
        return prefix;
      }),
    ),
  );

function isLengths(part: readonly unknown[]): part is [number, number] {
  return typeof part[0] === 'number' && typeof part[1] === 'number';
}

property('any bytes give the same frames and the same end, however they are cut', 400, fc.tuple(rubbish, cuts), ([bytes, places]) => {
  const whole = received(bytes, []);
  expect(received(bytes, places)).toEqual(whole);
  for (const { header, payload } of whole.frames) {
    expect(header).not.toBe(undefined);
    expect(payload.length).toBeLessThan(bytes.length);
    for (const schema of [commandSchema, eventSchema]) expect(typeof schema.safeParse(header).success).toBe('boolean');
  }
});

const anyEvent = fc.record(
  {
    type: fc.constantFrom('ready', 'fatal', 'need', 'calls', 'made', 'outcome', 'refused', 'init', 'run', 'answer', 'cancel', '__proto__'),
    run: fc.oneof(fc.nat(3), fc.jsonValue()),
    message: fc.jsonValue(),
    key: fc.constantFrom('0'.repeat(64), 'x'),
    code: fc.constantFrom('ERR_INTERNAL', 'constructor'),
    calls: fc.array(
      fc.record({ call: fc.nat(3), server: fc.string(), tool: fc.string(), bytes: fc.oneof(fc.nat(9), fc.double(), fc.constant(-1)) }),
      { maxLength: 3 },
    ),
    large: fc.record({ result: fc.double(), logs: fc.nat(9) }),
    outcome: fc.jsonValue(),
  },
  { requiredKeys: ['type'] },
);

property(
  'any message is of the protocol or refused, and its lengths add up to its payload',
  400,
  fc.tuple(anyEvent, fc.uint8Array({ maxLength: 12 })),
  ([message, payload]) => {
    const parsed = eventSchema.safeParse(message);
    if (!parsed.success) return;
    if (!isWhole(parsed.data, payload) || parsed.data.type !== 'calls') return;
    expect(parsed.data.calls.every(({ bytes }) => Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
  },
);
