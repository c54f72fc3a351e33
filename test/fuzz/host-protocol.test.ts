import { createImage } from '../../src/component/image.ts';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { createEngineInstance } from '../../src/execute/worker/engine-instance.ts';
import { eventSchema, isWhole } from '../../src/execute/executor-protocol.ts';
import { readGuestStatus } from '../../src/execute/worker/guest-status.ts';
import { joinLarge, splitOutcome } from '../../src/execute/large-outcome.ts';
import { runProgram } from '../../src/execute/worker/run-program.ts';
import type { RunPort } from '../../src/execute/worker/run-port.ts';
import type { RunMessage, SentCall, WorkerTask } from '../../src/execute/worker-protocol.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';
import { assembleGuest, hostileGuests } from './hostile-guest.ts';
import { property } from './property.ts';

const SECRET = 'not in the mount';
const folder = mkdtempSync(join(tmpdir(), 'ampoule-fuzz-mount-'));
mkdirSync(join(folder, 'mount'));
writeFileSync(join(folder, 'mount', 'a.txt'), 'what is in the mount');
writeFileSync(join(folder, 'secret.txt'), SECRET);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const MOUNTS = new Map([['mount', join(folder, 'mount')]]);
const LIMITS = {
  ...DEFAULT_RUN_LIMITS,
  waitMs: 15,
  maxToolCalls: 5,
  maxConcurrentToolCalls: 2,
  maxToolArgumentBytes: 40,
  maxLogBytes: 200,
};

/** The end of a run's line that its worker has; what the program calls is answered with an error, twice. */
function openPort(): { port: RunPort; calls: SentCall[] } {
  const calls: SentCall[] = [];
  let tell: (message: RunMessage) => void = () => undefined;
  const port = {
    postMessage: ({ call }: { call: SentCall }) => {
      calls.push(call);
      const answer = {
        type: 'answer',
        call: call.number,
        ok: false,
        code: 'ERR_UPSTREAM_TIMEOUT',
        answer: '{"error":{"code":"ERR_UPSTREAM_TIMEOUT","message":"no"}}',
      } as const;
      setImmediate(() => tell(answer));
      setImmediate(() => tell(answer));
    },
    onMessage: (listener: typeof tell) => (tell = listener),
    slice: () => undefined,
    rest: () => undefined,
    resume: () => undefined,
    mayGrow: () => true,
    hold: () => undefined,
    recordStep: () => undefined,
    recordFile: () => undefined,
  };
  return { port: port as unknown as RunPort, calls };
}

property(
  'a guest that keeps to nothing ends in a code or a value, and what it says is of the protocol',
  400,
  hostileGuests,
  async (guest) => {
    const instance = createEngineInstance(assembleGuest(guest));
    const { port, calls } = openPort();
    const task: WorkerTask = {
      executionId: 'exe_fuzz',
      key: '0'.repeat(64),
      input: '{"a":1}',
      state: '{"b":2}',
      limits: LIMITS,
      now: 0,
      seed: '0'.repeat(64),
      port,
      interrupt: new Int32Array(new SharedArrayBuffer(4)),
    };
    const image = createImage(new Uint8Array(instance.memory.buffer.slice(0, 65_536)), null);
    const spent = { cache: 'hit', phases: { queue: 0, component: 0, run: 0 } } as const;
    const { outcome } = await runProgram({ instance, image, mounts: MOUNTS, spent: () => spent }, task);
    if (!outcome) throw new Error('a run that may not leave has left');
    if (outcome.end.status === 'failed') expect(ERROR_CODES).toContain(outcome.end.code);
    const { outcome: text, large } = splitOutcome({ ...outcome, ...spent });
    const sizes = large && { result: large.result?.length ?? 0, logs: large.logs?.length ?? 0 };
    const event = eventSchema.parse({ type: 'outcome', run: 1, outcome: JSON.parse(text), ...(sizes && { large: sizes }) });
    expect(isWhole(event, joinLarge(large ?? {}))).toBe(true);
    expect(calls.length).toBeLessThanOrEqual(LIMITS.maxToolCalls);
    expect(outcome.logs.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0)).toBeLessThanOrEqual(LIMITS.maxLogBytes);
    expect(Buffer.from(instance.memory.buffer).includes(SECRET)).toBe(false);
  },
);

property('a guest that keeps to nothing while it is loaded gives a text or throws an error', 200, hostileGuests, (guest) => {
  const { guest: exports, memory } = createEngineInstance(assembleGuest(guest));
  try {
    expect(exports.load('return 1').length).toBeLessThanOrEqual(memory.buffer.byteLength);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Error);
  }
});

const almostStatus = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .record(
      {
        running: fc.oneof(fc.nat(5), fc.jsonValue()),
        nextTimer: fc.oneof(fc.constant(null), fc.double(), fc.jsonValue()),
        ending: fc.oneof(
          fc.constant(null),
          fc.constant({ status: 'completed' }),
          fc.record({
            status: fc.constant('failed'),
            code: fc.oneof(fc.constantFrom(...ERROR_CODES), fc.string()),
            name: fc.jsonValue(),
            message: fc.string(),
            stack: fc.string(),
          }),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
);

property('any texts as a status are read as one of the contract, or refused', 500, fc.array(almostStatus, { maxLength: 4 }), (texts) => {
  try {
    const { running, nextTimer, end } = readGuestStatus(texts, { maxResultBytes: 10, maxStateBytes: 10 });
    expect(Number.isSafeInteger(running) && running >= 0).toBe(true);
    expect(nextTimer === null || Number.isFinite(nextTimer)).toBe(true);
    if (end?.status === 'completed') expect(Buffer.byteLength(end.result)).toBeLessThanOrEqual(10);
    if (end?.status === 'failed') expect(ERROR_CODES).toContain(end.code);
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name === 'AssertionError') throw thrown;
  }
});
