import { Duplex, PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { commandSchema, eventSchema, isWhole, isWholeCommand } from '../../src/execute/executor-protocol.ts';
import { refuseImage } from '../../src/execute/hibernated-run.ts';
import { decodeSteps, encodeSteps } from '../../src/execute/run-steps.ts';
import { ToldCalls } from '../../src/execute/told-calls.ts';
import { requestOf } from '../support/carry.ts';
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

const EVENTS = 'ready fatal need calls made outcome refused history awaits hibernated waiting'.split(' ');
const anyNumber = fc.oneof(fc.nat(9), fc.double(), fc.constantFrom(-1, null, '1'));

const anyEvent = fc.record(
  {
    type: fc.constantFrom(...EVENTS, 'init', 'run', 'answer', 'cancel', 'hibernate', '__proto__'),
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
    history: fc.record({ steps: fc.array(fc.array(anyNumber, { maxLength: 3 }), { maxLength: 3 }) }),
    pending: fc.array(anyNumber, { maxLength: 3 }),
    lastCall: anyNumber,
    nextTimer: anyNumber,
    now: anyNumber,
    usage: fc.record({ fuel: anyNumber, peakMemoryBytes: anyNumber, activeMs: anyNumber, waitingMs: anyNumber, toolCalls: anyNumber }),
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

const someNumber = fc.oneof(fc.nat(4), fc.double({ noNaN: true }));
const told = fc.record({
  type: fc.constantFrom('calls' as const, 'awaits' as const, 'answered' as const, 'history' as const),
  calls: fc.array(fc.nat(4), { maxLength: 3 }),
  now: fc.nat(3),
});
const putAway = fc.record({
  pending: fc.array(fc.nat(4), { maxLength: 3 }),
  lastCall: fc.nat(4),
  nextTimer: fc.option(someNumber),
  now: someNumber,
});

property(
  'whatever is told of a run: it is put away only while it waits for calls that it made and that no step has settled, each once',
  400,
  fc.tuple(fc.array(told, { maxLength: 12 }), putAway),
  ([news, event]) => {
    const request = { ...requestOf('', { now: 0, limits: { maxToolCalls: 4, maxConcurrentToolCalls: 3 } }) };
    const run = new ToldCalls(request, true);
    const open = new Set<number>();
    const answered = new Set<number>();
    for (const { type, calls, now } of news) {
      if (type === 'calls' && run.refuseCalls(calls.map((call) => ({ call, server: 's', tool: 't', bytes: 2 }))) === undefined) {
        for (const call of calls) open.add(call);
      } else if (type === 'awaits') expect(calls.length > 0 && run.refuseAwaits(calls) === undefined).toBe(false);
      else if (type === 'answered' && calls[0] !== undefined && open.has(calls[0]) && !answered.has(calls[0])) {
        answered.add(calls[0]);
        run.answered(calls[0]);
      } else if (type === 'history') {
        const reason = run.refuseHistory({ steps: [[now, ...calls]] });
        // An executor that was refused is ended: nothing that it says after that counts.
        if (reason !== undefined) return;
        for (const call of calls) expect(answered.has(call) && open.delete(call)).toBe(true);
      } else if (type === 'calls') return;
    }
    const usage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
    const whole = { type: 'hibernated' as const, run: 1, ...event, usage };
    if (refuseImage({ request, told: run, begunAt: performance.now() }, whole, new Uint8Array(1)) !== undefined) return;
    expect(event.pending.every((call) => open.has(call)) && new Set(event.pending).size === event.pending.length).toBe(true);
    expect(event.pending.length > 0 || event.nextTimer !== null).toBe(true);
    expect(event.lastCall >= run.last && event.now >= run.clock && event.now < Date.now() + 120_000).toBe(true);
  },
);

const steps = fc.array(fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.array(fc.integer({ min: 1 }), { maxLength: 4 })), {
  maxLength: 6,
});

property(
  'steps are read as they were written, and any other bytes as steps or not at all',
  300,
  fc.tuple(steps, fc.uint8Array()),
  ([list, bytes]) => {
    const written = list.map(([now, calls]) => [now, ...calls] as [number, ...number[]]);
    expect(decodeSteps(encodeSteps(written))).toEqual(written);
    try {
      for (const [now, ...calls] of decodeSteps(bytes)) expect(Number.isFinite(now) && calls.every((call) => call >= 1)).toBe(true);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(TypeError);
    }
  },
);

const anyRun = fc.record({
  type: fc.constant('run'),
  run: fc.constant(1),
  executionId: fc.string(),
  key: fc.constant('0'.repeat(64)),
  input: fc.string(),
  state: fc.string(),
  limits: fc.constant(requestLimits()),
  payload: fc.constantFrom('none', 'script', 'program'),
  from: fc.oneof(
    fc.record({
      kind: fc.constant('image'),
      bytes: anyNumber,
      now: anyNumber,
      pending: fc.array(anyNumber, { maxLength: 2 }),
      lastCall: anyNumber,
    }),
    fc.record({ kind: fc.constant('history'), bytes: anyNumber }),
  ),
});

function requestLimits(): object {
  return requestOf('').limits;
}

property(
  'a run that goes on never takes more of a payload than there is',
  300,
  fc.tuple(anyRun, fc.uint8Array({ maxLength: 12 })),
  ([message, payload]) => {
    const { data } = commandSchema.safeParse(message);
    if (data?.type !== 'run' || !isWholeCommand(data, payload)) return;
    expect(data.from && data.from.bytes >= 0 && data.from.bytes <= payload.length).toBe(true);
    if (data.payload === 'none') expect(data.from?.bytes).toBe(payload.length);
  },
);
