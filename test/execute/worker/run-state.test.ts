import { expect, test } from 'vitest';
import { SandboxError } from '../../../src/errors.ts';
import { decodeRunState, encodeRunState, maxStateBytes, type RunState } from '../../../src/execute/worker/run-state.ts';
import { DEFAULT_RUN_LIMITS } from '../../support/executor.ts';

const LIMITS = { ...DEFAULT_RUN_LIMITS, maxToolCalls: 4, maxConcurrentToolCalls: 2, maxLogBytes: 1_000, fuel: 1_000_000_000 };
const CALL = { server: 's', tool: 't', ageMs: 5, bytes: 600 };
const STATE: RunState = {
  now: 1_700_000_000_123,
  status: { running: 3, nextTimer: 1_700_000_009_000 },
  waitingMs: 12.5,
  meter: { granted: 50_000_000, slice: 1_234, pages: 90, hostBytes: 2_000, activeMs: 3.25, refusedGrowth: false },
  calls: [
    { ...CALL, end: { ok: false, ms: 3, code: 'ERR_CALL_TOOL' } },
    CALL,
    CALL,
    { ...CALL, waiting: Uint8Array.from(Buffer.from('{"waits":"ü"}')) },
  ],
  log: {
    left: 100,
    droppedBytes: 7,
    entries: [{ level: 'warn', message: 'line' }],
    kept: Uint8Array.from(Buffer.from('{"level":"info"}\n')),
  },
  spent: { cache: 'miss', phases: { queue: 1, component: 2, run: 3 } },
};

function problemOf(bytes: Uint8Array, limits = LIMITS): string | undefined {
  try {
    decodeRunState(bytes, limits);
    return undefined;
  } catch (error) {
    if (error instanceof SandboxError && error.code === 'ERR_COMPONENT_DAMAGED') return error.message;
    throw error;
  }
}
const problemWith = (more: Partial<RunState>): string | undefined => problemOf(encodeRunState({ ...STATE, ...more }));

test('what the host holds for a run comes back as it was', () => {
  expect(decodeRunState(encodeRunState(STATE), LIMITS)).toEqual(STATE);
  expect(encodeRunState(STATE).length).toBeLessThan(maxStateBytes(LIMITS));
  const { kept: _kept, ...log } = STATE.log;
  const plain = { ...STATE, calls: [], log };
  expect(decodeRunState(encodeRunState(plain), LIMITS)).toEqual(plain);
});

test('what is cut off, or has more behind it, is refused', () => {
  const bytes = encodeRunState(STATE);
  const found = Array.from(bytes, (_byte, length) => problemOf(bytes.subarray(0, length)));
  expect(found.filter((problem) => problem === undefined)).toEqual([]);
  expect(problemOf(Buffer.concat([bytes, Buffer.alloc(1)]))).toMatch('more than it says');
});

test('what is of another form is refused', () => {
  const text = Buffer.from(JSON.stringify({ ...STATE, more: 1 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  expect(problemOf(Buffer.concat([length, text]))).toMatch('not of its form');
  expect(problemWith({ now: Number.NaN })).toMatch('not of its form');
});

test('what no run that kept its limits can have come to is refused, and what is just within them is not', () => {
  const { meter, log } = STATE;
  expect(problemWith({ meter: { ...meter, granted: LIMITS.fuel } })).toBeUndefined();
  expect(problemWith({ meter: { ...meter, granted: LIMITS.fuel + 1 } })).toMatch('fuel');
  expect(problemWith({ meter: { ...meter, granted: 10, slice: 11 } })).toMatch('fuel');
  expect(problemWith({ calls: [...STATE.calls.slice(0, 3), CALL] })).toMatch('3 calls are on their way at once');
  expect(problemWith({ calls: Array.from({ length: 5 }, () => ({ ...CALL, end: { ok: true, ms: 1 } })) })).toMatch('5 calls, more than 4');
  expect(problemWith({ log: { ...log, left: 1_000 } })).toBeUndefined();
  expect(problemWith({ log: { ...log, left: 1_001 } })).toMatch('room for 1001 bytes');
  const waiting = STATE.calls.slice(3);
  expect(problemWith({ calls: [...waiting, CALL] })).toMatch('not in order');
});
