import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordingOf, type Recording } from '../../src/replay/recording.ts';
import type { Replayed, ReplayedCall } from '../../src/replay/replay.ts';
import type { StoredExecution } from '../../src/execution/execution-store.ts';
import { Recorder } from './recorder.ts';

let recorder: Recorder;
beforeAll(async () => {
  recorder = await Recorder.open();
});
afterAll(() => recorder[Symbol.asyncDispose]());

const BODY = `
const call = (tool, args) => ampoule.callTool("s", tool, args);
console.log("begins", input.a);
const [one] = await Promise.all([call("one", { n: 1 }), call("two", { n: 2 })]);
await new Promise((resolve) => setTimeout(resolve, 5));
const three = await call("three", { one }).catch((error) => error.message);
console.warn("ends", three);
ampoule.getState().n += 1;
return { one, three };`;

let recording: Recording;
let stored: StoredExecution;
beforeAll(async () => {
  stored = await recorder.stored(BODY, {
    onCall: ({ number, arguments: args }) =>
      Promise.resolve(number === 3 ? { ok: false, error: { code: 'ERR_CALL_TOOL', message: 'no' } } : { ok: true, value: args }),
  });
  recording = recordingOf(stored);
});

/** The names of what differs, of a recording in which something was changed. */
async function changed(change: (copy: Changeable) => void, more: { sameEngine?: boolean } = {}): Promise<Replayed> {
  const copy = structuredClone(recording) as unknown as Changeable;
  change(copy);
  return recorder.replay(copy, more);
}
type Changeable = { -readonly [K in keyof Recording]: Recording[K] } & { expected: NonNullable<Recording['expected']> };

const one = (what: string, recorded: unknown, replayed: unknown): object => ({
  status: 'different',
  differences: [{ what, recorded, replayed }],
});

describe('one thing that is not as recorded is told once, and where it is', () => {
  test('nothing', async () => {
    expect(await recorder.replay(recording)).toMatchObject({ status: 'same', differences: [], pending: [], outcome: recording.expected });
  });

  test('the result, the state, the end, the log and fuel', async () => {
    const { result = '', state = '', fuel } = recording.expected ?? { fuel: 0 };
    const cases: [unknown, (copy: Changeable) => void][] = [
      [one('result', '{"one":2}', result), ({ expected }) => (expected.result = '{"one":2}')],
      [one('state', '{}', state), ({ expected }) => (expected.state = '{}')],
      [
        one('log line 2', 'warn: ended', 'warn: ends no'),
        ({ expected }) => (expected.logs = expected.logs?.with(1, { level: 'warn', message: 'ended' })),
      ],
      [one('log line 2', 'nothing', 'warn: ends no'), ({ expected }) => expected.logs?.pop()],
      [one('log line 3', 'info: more', 'nothing'), ({ expected }) => expected.logs?.push({ level: 'info', message: 'more' })],
      [one('dropped bytes of the log', '7', '0'), ({ expected }) => (expected.droppedLogBytes = 7)],
      [
        one('call 2', 's.two failed with ERR_CALL_DENIED', 's.two answered'),
        ({ expected }) => {
          Object.assign(expected.calls?.[1] ?? {}, { ok: false, code: 'ERR_CALL_DENIED' });
        },
      ],
      [one('fuel', '5', fuel.toLocaleString('en')), ({ expected }) => (expected.fuel = 5)],
    ];
    for (const [difference, change] of cases) expect(await changed(change)).toMatchObject(difference as object);
  });

  test('an error where there was a result, and the other way round', async () => {
    const { differences } = await changed(({ expected }) => {
      Object.assign(expected, { status: 'failed', code: 'ERR_EXECUTE_THROWN', message: 'Error: no', result: undefined, state: undefined });
    });
    expect(differences.map(({ what }) => what)).toEqual(['status', 'error code', 'error message', 'result', 'state']);
  });

  test('the name and the arguments of a call', async () => {
    expect(await changed(({ calls }) => Object.assign(calls[1] ?? {}, { tool: 'other' }))).toMatchObject(one('call 2', 's.other', 's.two'));
    expect(await changed(({ calls }) => Object.assign(calls[2] ?? {}, { arguments: '{}' }))).toMatchObject(
      one('arguments of call 3 (s.three)', '{}', '{"one":{"n":1}}'),
    );
  });

  test('a call more and a call less', async () => {
    const more = (copy: Changeable): unknown => (copy.script = copy.script.replace('const three', 'await call("extra", {}); const three'));
    expect(await changed(more)).toMatchObject(one('call 3', 's.three', 's.extra'));
    const last = (copy: Changeable): unknown => (copy.script = copy.script.replace('return { one', 'call("extra", {}); return { one'));
    expect(await changed(last)).toMatchObject(one('call 4', 'nothing', 's.extra {}'));
    const less = (copy: Changeable): unknown =>
      (copy.script = copy.script.replace('await call("three", { one })', 'await Promise.reject(Error("no"))'));
    expect(await changed(less)).toMatchObject(
      one('call 3', 's.three {"one":{"n":1}}', expect.stringMatching(/^nothing: step \d of \d was to come, and the program completed\.$/)),
    );
  });

  test('an answer, where the program makes something else of it', async () => {
    const change = ({ calls }: Changeable): unknown => Object.assign(calls[0] ?? {}, { answer: { ok: true, value: '"other"' } });
    expect(await changed(change)).toMatchObject(one('arguments of call 3 (s.three)', '{"one":{"n":1}}', '{"one":"other"}'));
  });

  test('an input, a clock and a seed that the program makes something of', async () => {
    expect(await changed((copy) => (copy.input = '{"a":2}'))).toMatchObject(one('log line 1', 'info: begins 1', 'info: begins 2'));
    const clock = await changed((copy) => (copy.steps = copy.steps.map(([, ...calls]) => [copy.now, ...calls])));
    expect(clock).toMatchObject({ status: 'different', differences: [{ what: 'steps', replayed: expect.stringContaining('due later') }] });
  });

  test('a step too few: it waits where it ended', async () => {
    expect(await changed((copy) => (copy.steps = copy.steps.slice(0, -1)))).toMatchObject(one('end', 'completed', 'waits for call 3'));
  });

  test('fuel on another engine is a note', async () => {
    expect(await changed(({ expected }) => (expected.fuel = 5), { sameEngine: false })).toMatchObject({
      status: 'same',
      differences: [{ what: 'fuel', isNote: true }],
    });
  });
});

describe('a replay', () => {
  test('tells every call with clock, fuel and answer, in the order in which they were made', async () => {
    const calls: ReplayedCall[] = [];
    await recorder.replay(recording, { onCall: (call) => calls.push(call) });
    expect(calls).toMatchObject([
      { number: 1, tool: 'one', arguments: '{"n":1}', atMs: 0, answer: { ok: true, value: '{"n":1}' } },
      { number: 2, tool: 'two', atMs: 0 },
      { number: 3, tool: 'three', answer: { ok: false, error: { code: 'ERR_CALL_TOOL' } } },
    ]);
    const [first, second, third] = calls;
    expect(third?.atMs).toBeGreaterThanOrEqual(5);
    expect(first?.fuel).toBeGreaterThan(0);
    expect(second?.fuel).toBeGreaterThan(first?.fuel ?? Infinity);
    expect(third?.fuel).toBeGreaterThan(second?.fuel ?? Infinity);
    const again: ReplayedCall[] = [];
    await recorder.replay(recording, { onCall: (call) => again.push(call) });
    expect(again).toEqual(calls);
  });

  test('stops at a call, with exactly those pending that are', async () => {
    const numbers = async (until: number): Promise<unknown> => {
      const { status, pending } = await recorder.replay(recording, { until });
      return [status, pending.map(({ number }) => number)];
    };
    expect(await numbers(1)).toEqual(['stopped', [1]]);
    expect(await numbers(2)).toEqual(['stopped', [1, 2]]);
    expect(await numbers(3)).toEqual(['stopped', [3]]);
    expect(await numbers(4)).toEqual(['same', []]);
  });

  test('stops in the middle of many calls, whether the run was put away there or not', async () => {
    const body = `
      const call = (n) => ampoule.callTool("s", "t", { n });
      const chain = async (n) => { await call(n); await call(n + 10); await call(n + 20); };
      await Promise.all([chain(1), chain(2), chain(3)]);`;
    // Chain 1 is answered at once, 2 later, 3 last.
    const onCall = async ({ arguments: args }: { arguments: string }) => {
      await new Promise((resolve) => setTimeout(resolve, ((JSON.parse(args) as { n: number }).n % 10) * 300 - 300));
      return { ok: true as const, value: args };
    };
    for (const hibernateAfterMs of [undefined, 0]) {
      const many = await recorder.record(body, { hibernateAfterMs, onCall, limits: { maxConcurrentToolCalls: 2 } });
      const at = async (until: number): Promise<string[]> => (await recorder.replay(many, { until })).pending.map((call) => call.arguments);
      expect(await at(2)).toEqual(['{"n":1}', '{"n":2}']);
      // Call 3 waited for its turn: it leaves when the answer to the first is there, before the program has that.
      expect(await at(3)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
      expect(await at(4)).toEqual(['{"n":2}', '{"n":3}', '{"n":11}']);
      expect(await recorder.replay(many)).toMatchObject({ status: 'same' });
    }
  });

  test('shows what a run waits for that has not ended', async () => {
    const { end: _end, ...rest } = stored;
    const given = rest.history.steps.findIndex((step) => step.length === 1);
    const part = { ...rest, calls: rest.calls.slice(0, 2), history: { ...rest.history, steps: rest.history.steps.slice(0, given) } };
    const waiting = await recorder.replay(recordingOf(part));
    expect(waiting).toMatchObject({
      status: 'stopped',
      pending: [],
      nextTimerMs: expect.any(Number),
      outcome: { logs: [{ message: 'begins 1' }] },
    });
    const begun = await recorder.replay(recordingOf({ ...part, history: { steps: [], files: [] } }));
    expect(begun).toMatchObject({ status: 'stopped', pending: [{ number: 1 }, { number: 2 }] });
    expect(begun.nextTimerMs).toBeUndefined();
    // What is answered and not yet given is pending.
    expect(begun.pending.map(({ answer }) => answer)).toEqual([undefined, undefined]);
  });
});

describe('a run that ends from outside', () => {
  test('is compared up to there', async () => {
    const endless = await recorder.record('console.log("on"); await ampoule.callTool("s", "t", {}); for (;;);', {
      limits: { timeoutMs: 100 },
    });
    expect(endless.expected).toMatchObject({ code: 'ERR_EXECUTE_ACTIVE_TIME' });
    expect(await recorder.replay(endless)).toMatchObject({ status: 'same', endedFromOutside: 'ERR_EXECUTE_ACTIVE_TIME' });
    const idle = await recorder.record('console.log("on"); await new Promise((done) => setTimeout(done, 1e6));', {
      limits: { waitMs: 20 },
    });
    expect(await recorder.replay(idle)).toMatchObject({ status: 'same', endedFromOutside: 'ERR_EXECUTE_WAITING_TIME' });
    const other = structuredClone(idle);
    Object.assign(other.expected?.logs?.[0] ?? {}, { message: 'off' });
    expect(await recorder.replay(other)).toMatchObject(one('log line 1', 'info: off', 'info: on'));
  });

  test.each([
    ['ERR_EXECUTE_THROWN', 'await ampoule.callTool("s", "t", {}); throw new RangeError("no");', {}],
    ['ERR_EXECUTE_FUEL', 'for (;;);', { fuel: 1_000_000 }],
    ['ERR_EXECUTE_MEMORY', 'const kept = []; for (;;) kept.push("x".repeat(1e6) + kept.length);', { memoryMb: 32 }],
    ['ERR_EXECUTE_STACK', 'const f = (n) => [f(n + 1)]; f(0);', {}],
    ['ERR_EXECUTE_TOOL_CALLS', 'for (;;) await ampoule.callTool("s", "t", {});', { maxToolCalls: 3 }],
    ['ERR_EXECUTE_NEVER_SETTLES', 'await new Promise(() => {});', {}],
    ['ERR_EXECUTE_RESULT_TOO_LARGE', 'return "x".repeat(5000);', { maxResultBytes: 1_000 }],
    ['ERR_EXECUTE_RESULT_INVALID', 'const a = {}; a.a = a; return a;', {}],
  ] as const)('or with %s of its own making, which is repeated', async (code, body, limits) => {
    const failed = await recorder.record(body, { limits });
    expect.soft(failed.expected?.code).toBe(code);
    expect(await recorder.replay(failed)).toMatchObject({ status: 'same', differences: [] });
  });

  test('and large results and logs are compared whole', async () => {
    const body = 'for (let i = 0; i < 2000; i++) console.log("line " + i + "x".repeat(100)); return "y".repeat(300_000);';
    const large = await recorder.record(body, { limits: { maxLogBytes: 1_000_000, maxResultBytes: 1_000_000 } });
    expect(large.expected?.logs).toHaveLength(2_000);
    expect(await recorder.replay(large)).toMatchObject({ status: 'same' });
    const changedLine = structuredClone(large);
    Object.assign(changedLine.expected?.logs?.[1_999] ?? {}, { message: 'no' });
    expect(await recorder.replay(changedLine)).toMatchObject({ differences: [{ what: 'log line 2000' }] });
  });
});

describe('a record', () => {
  const codeOf = (change: (copy: { -readonly [K in keyof StoredExecution]: StoredExecution[K] }) => void): unknown => {
    const copy = structuredClone(stored);
    change(copy);
    try {
      return recordingOf(copy);
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return [code, message];
    }
  };

  test('that is not one names the part', () => {
    const damaged = (part: string): unknown => ['ERR_EXECUTION_DAMAGED', expect.stringContaining(part)];
    const outcome = (text: string) => codeOf((copy) => (copy.end = { ...(copy.end as NonNullable<typeof copy.end>), outcome: text }));
    expect(outcome('{')).toEqual(damaged('end.outcome is no JSON'));
    expect(outcome('{}')).toEqual(damaged('end.outcome.end: '));
    expect(outcome((stored.end?.outcome ?? '').replace('"fuel"', '"fool"'))).toEqual(damaged('end.outcome.usage'));
    expect(codeOf((copy) => (copy.start = { ...(copy.start as NonNullable<typeof copy.start>), seed: 'x' }))).toEqual(damaged('seed'));
    expect(codeOf((copy) => (copy.history = { steps: [['x' as unknown as number]], files: [] }))).toEqual(damaged('steps.0.0'));
    expect(codeOf((copy) => (copy.calls = [{ ...(copy.calls[0] as (typeof copy.calls)[number]), number: 0 }]))).toEqual(
      damaged('calls.0.number'),
    );
  });

  test('that was dropped, or is of a run that never ran, says so', () => {
    expect(codeOf((copy) => (copy.isComplete = false))).toEqual([
      'ERR_EXECUTION_DAMAGED',
      expect.stringContaining('limits.maxRecordBytes'),
    ]);
    expect(codeOf((copy) => (copy.start = undefined))).toEqual(['ERR_EXECUTION_UNKNOWN', expect.stringContaining('nothing to replay')]);
  });

  test('whose outcome was too long to be kept is compared by code and fuel', async () => {
    const { outcome: _outcome, ...end } = stored.end as NonNullable<StoredExecution['end']>;
    const short = recordingOf({ ...stored, end });
    expect(short.expected).toEqual({ status: 'completed', fuel: recording.expected?.fuel });
    expect(await recorder.replay(short)).toMatchObject({ status: 'same' });
    const other = recordingOf({ ...stored, end: { ...end, usage: { ...end.usage, fuel: 5 } } });
    expect(await recorder.replay(other)).toMatchObject({ status: 'different', differences: [{ what: 'fuel' }] });
  });
});
