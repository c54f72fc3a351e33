import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ExecutorChild } from '../../src/execute/executor-child.ts';
import { joinModules, readModules } from '../../src/execute/engine-modules.ts';
import { commandSchema, eventSchema, isWhole, PROTOCOL, type ExecutorEvent, type RunCommand } from '../../src/execute/executor-protocol.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';

/** The executor process itself, spoken to message by message. */

const events: { event: ExecutorEvent; payload: Buffer }[] = [];
let exited = '';
let child: ExecutorChild;
beforeAll(async () => {
  const ready = Promise.withResolvers<void>();
  const { plan, modules, directory } = inject('engine');
  child = new ExecutorChild({
    onEvent: (event, payload) => {
      events.push({ event, payload });
      if (event.type === 'ready') ready.resolve();
    },
    onExit: (reason) => (exited = reason),
    onStderr: () => undefined,
  });
  const files = await readModules(Object.fromEntries(modules.map((name) => [name, join(directory, name)])));
  const { parts, payload: bytes } = joinModules(files);
  const more = { mounts: {}, workers: 1, maxRunsPerWorker: 4, maxQueuedRuns: 4 };
  child.send({ type: 'init', protocol: PROTOCOL, plan, modules: parts, ...more }, bytes);
  await ready.promise;
});
afterAll(() => child.close());

const SCRIPT = 'return (async () => 42)();\n';
const COMMAND: RunCommand = {
  type: 'run',
  run: 1,
  executionId: 'exe_test',
  key: 'ab'.repeat(32),
  input: 'null',
  state: '{}',
  limits: DEFAULT_RUN_LIMITS,
  payload: 'none',
};

const ENGINELESS = {
  type: 'init',
  protocol: PROTOCOL,
  plan: { instances: [{ module: 'a', imports: [] }], contract: 0 },
  mounts: {},
  workers: 1,
  maxRunsPerWorker: 1,
  maxQueuedRuns: 0,
};
const CALL = { call: 1, server: 's', tool: 't', bytes: 2 };

/** Every event about a run, as soon as there are `count`. */
async function eventsOf(run: number, count: number): Promise<ExecutorEvent[]> {
  const about = (): ExecutorEvent[] => events.map(({ event }) => event).filter((event) => 'run' in event && event.run === run);
  await expect.poll(() => about().length, { timeout: 5_000 }).toBe(count);
  return about();
}

test('a program that the executor does not have is asked for, and one that it has is not', async () => {
  child.send({ ...COMMAND, run: 1 });
  await eventsOf(1, 1);
  child.send({ type: 'script', run: 1 }, Buffer.from(SCRIPT));
  expect(await eventsOf(1, 2)).toMatchObject([{ type: 'need' }, { type: 'outcome', outcome: { end: { result: '42' }, cache: 'miss' } }]);
  child.send({ ...COMMAND, run: 2 });
  expect(await eventsOf(2, 1)).toMatchObject([{ type: 'outcome', outcome: { end: { result: '42' }, cache: 'hit' } }]);
});

test('a run that is cancelled while its script is asked for ends at once, and a late script starts nothing', async () => {
  child.send({ ...COMMAND, run: 3, key: 'cd'.repeat(32) });
  await eventsOf(3, 1);
  child.send({ type: 'cancel', run: 3 });
  child.send({ type: 'script', run: 3 }, Buffer.from(SCRIPT));
  expect(await eventsOf(3, 2)).toMatchObject([{ type: 'need' }, { type: 'refused', code: 'ERR_EXECUTE_CANCELLED' }]);
});

test('a script that comes twice is run once', async () => {
  child.send({ ...COMMAND, run: 4, key: 'ef'.repeat(32) });
  for (let i = 0; i < 2; i++) child.send({ type: 'script', run: 4 }, Buffer.from(SCRIPT));
  await eventsOf(4, 2);
  child.send({ ...COMMAND, run: 5 });
  await eventsOf(5, 1);
  expect((await eventsOf(4, 2)).map(({ type }) => type)).toEqual(['need', 'outcome']);
});

test('messages about runs that are not there do nothing', async () => {
  child.send({ type: 'cancel', run: 99 });
  child.send({ type: 'answer', run: 99, call: 1, ok: true }, Buffer.from('{"ok":1}'));
  child.send({ type: 'script', run: 99 }, Buffer.from(SCRIPT));
  child.send({ ...COMMAND, run: 6 });
  await eventsOf(6, 1);
  expect(events.some(({ event }) => 'run' in event && event.run === 99)).toBe(false);
});

test('answers to calls that were not made, twice made or not JSON end no process', async () => {
  const script = 'return (async () => { try { return await ampoule.callTool("s", "t") } catch (e) { return e.name } })();\n';
  child.send({ ...COMMAND, run: 7, key: '12'.repeat(32), payload: 'script' }, Buffer.from(script));
  await eventsOf(7, 1);
  for (const call of [0, 2, 4_000_000_000]) child.send({ type: 'answer', run: 7, call, ok: true }, Buffer.from('{"ok":0}'));
  child.send({ type: 'answer', run: 7, call: 1, ok: true }, Buffer.from('not JSON'));
  child.send({ type: 'answer', run: 7, call: 1, ok: true }, Buffer.from('{"ok":2}'));
  expect(await eventsOf(7, 2)).toMatchObject([{ type: 'calls' }, { type: 'outcome', outcome: { end: { result: '"SyntaxError"' } } }]);
});

test('the calls of one step come in one message, their arguments one after the other', async () => {
  const script = `return (async () => {
    const all = await Promise.all(['a', 'bé', ''].map((text) => ampoule.callTool("s", text || "t", { text })));
    return all.join(); })();\n`;
  child.send({ ...COMMAND, run: 8, key: '34'.repeat(32), payload: 'script' }, Buffer.from(script));
  const [calls] = await eventsOf(8, 1);
  expect(calls).toMatchObject({
    type: 'calls',
    calls: [
      { call: 1, tool: 'a' },
      { call: 2, tool: 'bé' },
      { call: 3, tool: 't', bytes: 11 },
    ],
  });
  const payload = events.find(({ event }) => event === calls)?.payload.toString('utf8');
  expect(payload).toBe('{"text":"a"}{"text":"bé"}{"text":""}');
  for (const call of [1, 2, 3]) child.send({ type: 'answer', run: 8, call, ok: true }, Buffer.from(`{"ok":${call}}`));
  expect(await eventsOf(8, 2)).toMatchObject([{}, { type: 'outcome', outcome: { end: { result: '"1,2,3"' } } }]);
});

const SLEEPER = 'return (async () => [await ampoule.callTool("s", "t", {}), await ampoule.callTool("s", "u", {})])();\n';
const DURABLE = {
  ...COMMAND,
  key: '56'.repeat(32),
  now: 1_000,
  seed: '00'.repeat(32),
  history: true,
  hibernation: { afterMs: 0, maxImageBytes: 1_000_000 },
};

test('a run that is put away says so with its memory, and another one goes on from it without its program being asked for', async () => {
  child.send({ ...DURABLE, run: 9, payload: 'script' }, Buffer.from(SLEEPER));
  const [, asleep] = await eventsOf(9, 2);
  expect(asleep).toMatchObject({ type: 'hibernated', pending: [1], lastCall: 1, nextTimer: null, usage: { toolCalls: 1 } });
  const image = events.find(({ event }) => event === asleep)?.payload ?? Buffer.alloc(0);
  // It has left: nobody hears an answer any more, nor that it should leave.
  child.send({ type: 'answer', run: 9, call: 1, ok: true }, Buffer.from('{"ok":1}'));
  child.send({ type: 'hibernate', run: 9 });
  const from = { kind: 'image' as const, bytes: image.length, now: 5_000, pending: [1], lastCall: 1 };
  child.send({ ...DURABLE, run: 10, from }, image);
  expect(await eventsOf(10, 1)).toMatchObject([{ type: 'awaits', calls: [1] }]);
  child.send({ type: 'answer', run: 10, call: 1, ok: true }, Buffer.from('{"ok":"a"}'));
  const [, calls] = await eventsOf(10, 3);
  expect(calls).toMatchObject({ type: 'calls', calls: [{ call: 2 }], history: { steps: [[expect.any(Number), 1]] } });
  expect((await eventsOf(9, 2)).map(({ type }) => type)).toEqual(['calls', 'hibernated']);
});

test('a run that is not to tell what it is given does not', async () => {
  const { history: _tells, hibernation: _rules, ...plain } = DURABLE;
  child.send({ ...plain, run: 11 });
  await eventsOf(11, 1);
  child.send({ type: 'answer', run: 11, call: 1, ok: true }, Buffer.from('{"ok":1}'));
  const [, second] = await eventsOf(11, 2);
  expect(second).not.toHaveProperty('history');
  child.send({ type: 'cancel', run: 11 });
  await eventsOf(11, 3);
});

test('a run that waits leaves when it is asked to', async () => {
  child.send({ ...DURABLE, run: 12, hibernation: { afterMs: 3_600_000, maxImageBytes: 1_000_000 } });
  await eventsOf(12, 1);
  // It is asked again where it had not come to wait yet.
  const asking = setInterval(() => child.send({ type: 'hibernate', run: 12 }), 20);
  expect(await eventsOf(12, 2)).toMatchObject([{ type: 'calls' }, { type: 'hibernated' }]);
  clearInterval(asking);
});

test('a past that is none is the end of that run: what is too short, no steps, no memory, or another program', async () => {
  const image = { kind: 'image' as const, bytes: 4, now: 1, pending: [], lastCall: 0 };
  child.send({ ...DURABLE, run: 13, from: { ...image, bytes: 5 } }, Buffer.alloc(4));
  child.send({ ...DURABLE, run: 14, from: { kind: 'history', bytes: 4 } }, Buffer.alloc(4));
  child.send({ ...DURABLE, run: 15, from: image }, Buffer.alloc(4));
  expect(await eventsOf(13, 1)).toMatchObject([{ type: 'refused', code: 'ERR_INTERNAL' }]);
  expect(await eventsOf(14, 1)).toMatchObject([{ type: 'refused', code: 'ERR_INTERNAL' }]);
  expect(await eventsOf(15, 1)).toMatchObject([{ type: 'refused', code: 'ERR_COMPONENT_DAMAGED' }]);
});

test('none of this has ended the process', () => {
  expect(exited).toBe('');
});

describe('what the gateway never says ends the process in its own way', () => {
  const bad: [string, object, Uint8Array | undefined, RegExp][] = [
    ['another version', { type: 'init', protocol: 1 }, undefined, /gateway speaks version 1 of the protocol, and the executor version 4/],
    ['an unknown command', { type: 'format', disk: 'c' }, undefined, /not of the protocol/],
    ['a list', [], undefined, /not of the protocol/],
    ['an engine that is cut off', { ...ENGINELESS, modules: [{ name: 'a', bytes: 9 }] }, Buffer.alloc(3), /not of the protocol/],
    ['an engine that is none', { ...ENGINELESS, modules: [{ name: 'a', bytes: 3 }] }, Buffer.alloc(3), /WebAssembly|first message twice/],
    ['a run before there is an engine, twice', { ...COMMAND, run: 1 }, undefined, /asked for a run that is there/],
  ];
  test.concurrent.each(bad)('%s', async (_what, command, payload, reason) => {
    const said = Promise.withResolvers<string>();
    const stderr: string[] = [];
    const other = new ExecutorChild({
      onEvent: (event) => event.type === 'fatal' && said.resolve(event.message),
      onExit: (why) => said.resolve(why),
      onStderr: (text) => stderr.push(text),
    });
    for (let i = 0; i < 2; i++) other.send(command as RunCommand, payload);
    expect(await said.promise).toMatch(reason);
    await other.close();
    expect(stderr).toEqual([]);
  });
});

test.each([
  ['fewer bytes than their lengths say', 1, false],
  ['more bytes than their lengths say', 5, false],
  ['as many bytes as their lengths say', 4, true],
])('a message of calls with %s is judged by that', (_what, bytes, isGood) => {
  const event = eventSchema.parse({ type: 'calls', run: 1, calls: [CALL, { ...CALL, call: 2 }] });
  expect(isWhole(event, new Uint8Array(bytes))).toBe(isGood);
});

const USAGE = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
const ASLEEP = { type: 'hibernated', run: 1, pending: [], lastCall: 0, nextTimer: 1, now: 1, usage: USAGE };

test('a message of a run that is put away is one of the executor', () => {
  expect(eventSchema.safeParse(ASLEEP).success).toBe(true);
});

test.each<[string, unknown]>([
  ['nothing', {}],
  ['null', null],
  ['a list', []],
  ['an unknown member', { type: 'ready', more: 1 }],
  ['an unknown type', { type: 'unknown' }],
  ['a type that every object has', { type: '__proto__' }],
  ['no outcome', { type: 'outcome', run: 1 }],
  ['an empty outcome', { type: 'outcome', run: 1, outcome: {} }],
  ['no calls', { type: 'calls', run: 1, calls: [] }],
  ['too many calls', { type: 'calls', run: 1, calls: Array.from({ length: 1_001 }, () => CALL) }],
  ['a negative call', { type: 'calls', run: 1, calls: [{ ...CALL, call: -1 }] }],
  ['a negative length', { type: 'calls', run: 1, calls: [{ ...CALL, bytes: -2 }] }],
  ['a long server name', { type: 'calls', run: 1, calls: [{ ...CALL, server: 's'.repeat(257) }] }],
  ['more about a call', { type: 'calls', run: 1, calls: [{ ...CALL, more: 1 }] }],
  ['a path as key', { type: 'made', key: '../../etc/passwd' }],
  ['a key in capitals', { type: 'made', key: 'AB'.repeat(32) }],
  ['a code of its own', { type: 'refused', run: 1, code: 'ERR_MADE_UP', message: 'm' }],
  ['no calls to wait for', { type: 'awaits', run: 1, calls: [] }],
  ['half a call to wait for', { type: 'awaits', run: 1, calls: [1.5] }],
  ['no history', { type: 'history', run: 1 }],
  ['a step that is a number', { type: 'history', run: 1, history: { steps: [1] } }],
  ['a step with a text', { type: 'history', run: 1, history: { steps: [[1, '1']] } }],
  ['a file of a negative length', { type: 'history', run: 1, history: { steps: [], files: [{ path: 'a', bytes: -1, hash: '' }] } }],
  ['a long path', { type: 'history', run: 1, history: { steps: [], files: [{ path: 'a'.repeat(4_097), bytes: 1, hash: '' }] } }],
  ['no usage', { ...ASLEEP, usage: {} }],
  ['a timer that never comes', { ...ASLEEP, nextTimer: Infinity }],
  ['no clock', { ...ASLEEP, now: Number.NaN }],
  ['more about a sleeper', { ...ASLEEP, principal: 'admin' }],
])('a message with %s is not one of the executor', (_what, event) => {
  expect(eventSchema.safeParse(event).success).toBe(false);
});

test.each<[string, unknown]>([
  ['nothing', {}],
  ['a fraction as run', { ...COMMAND, run: 1.5 }],
  ['a short key', { ...COMMAND, key: 'x' }],
  ['a short seed', { ...COMMAND, seed: 'short' }],
  ['an unknown payload', { ...COMMAND, payload: 'other' }],
  ['no fuel', { ...COMMAND, limits: { ...DEFAULT_RUN_LIMITS, fuel: null } }],
  ['an unknown limit', { ...COMMAND, limits: { ...DEFAULT_RUN_LIMITS, more: 1 } }],
  ['no run', { type: 'cancel' }],
  ['no run to put away', { type: 'hibernate' }],
  ['a past of its own kind', { ...COMMAND, from: { kind: 'other', bytes: 1 } }],
  ['a past of a negative length', { ...COMMAND, from: { kind: 'history', bytes: -1 } }],
  ['a clock without end', { ...COMMAND, from: { kind: 'image', bytes: 1, now: Infinity, pending: [], lastCall: 0 } }],
  ['rules without a bound', { ...COMMAND, hibernation: { afterMs: 1 } }],
])('a message with %s is not one of the gateway', (_what, command) => {
  expect(commandSchema.safeParse(command).success).toBe(false);
});
