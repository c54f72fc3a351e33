import { expect, test } from 'vitest';
import { type CallTable, type OutgoingCall, ToolCallLimit, createCallTable } from '../../host-functions/call-tool.ts';

interface Setup {
  table: CallTable;
  sent: OutgoingCall[];
  stops: ToolCallLimit[];
  clock: { now: number };
}

function setUp(limits: { maxToolCalls?: number; maxConcurrentToolCalls?: number; maxToolArgumentBytes?: number } = {}): Setup {
  const sent: OutgoingCall[] = [];
  const stops: ToolCallLimit[] = [];
  const clock = { now: 0 };
  const table = createCallTable({
    maxToolCalls: 10,
    maxConcurrentToolCalls: 2,
    maxToolArgumentBytes: 100,
    ...limits,
    send: (call) => void sent.push(call),
    onLimit: (stop) => void stops.push(stop),
    now: () => clock.now,
  });
  return { table, sent, stops, clock };
}

test('calls get numbers and go out as they are', () => {
  const { table, sent } = setUp();
  expect([table.begin('s', 't', '{"a":1}'), table.begin('s', 'u', '{}')]).toEqual([1, 2]);
  expect(sent).toEqual([
    { number: 1, server: 's', tool: 't', arguments: '{"a":1}' },
    { number: 2, server: 's', tool: 'u', arguments: '{}' },
  ]);
});

test('more than the concurrent calls wait their turn, in order', () => {
  const { table, sent } = setUp();
  for (let i = 0; i < 5; i++) table.begin('s', `t${i}`, '{}');
  expect(sent.map((call) => call.number)).toEqual([1, 2]);
  expect(table.running).toBe(5);
  table.settle(2, true);
  expect(sent.map((call) => call.number)).toEqual([1, 2, 3]);
  table.settle(1, true);
  table.settle(3, false, 'ERR_CALL_TOOL');
  expect(sent.map((call) => call.number)).toEqual([1, 2, 3, 4, 5]);
  expect(table.running).toBe(2);
});

test('a second answer, an unknown one and one to a call not sent yet are ignored', () => {
  const { table } = setUp({ maxConcurrentToolCalls: 1 });
  table.begin('s', 't', '{}');
  table.begin('s', 't', '{}');
  expect([table.settle(2, true), table.settle(99, true), table.settle(0, true), table.settle(1, true), table.settle(1, true)]).toEqual([
    false,
    false,
    false,
    true,
    false,
  ]);
  expect(table.running).toBe(1);
});

test('records tell how long each took and why it failed', () => {
  const { table, clock } = setUp();
  table.begin('s', 'a', '{}');
  clock.now = 5;
  table.begin('s', 'b', '{}');
  table.begin('s', 'c', '{}');
  clock.now = 12;
  table.settle(1, true);
  table.settle(2, false, 'ERR_CALL_DENIED');
  clock.now = 20;
  expect(table.records()).toEqual([
    { server: 's', tool: 'a', ok: true, ms: 12 },
    { server: 's', tool: 'b', ok: false, ms: 7, code: 'ERR_CALL_DENIED' },
    { server: 's', tool: 'c', ok: false, ms: 15 },
  ]);
});

test('the call past the limit stops the run, once, and is not sent', () => {
  const { table, sent, stops } = setUp({ maxToolCalls: 2 });
  table.begin('s', 't', '{}');
  table.begin('s', 't', '{}');
  expect(() => table.begin('s', 't', '{}')).toThrow(ToolCallLimit);
  expect(() => table.begin('s', 't', '{}')).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_TOOL_CALLS' }));
  expect([sent.length, stops.length, table.records().length]).toEqual([2, 1, 2]);
});

test('a limit of no calls stops the first', () => {
  const { table, stops } = setUp({ maxToolCalls: 0 });
  expect(() => table.begin('s', 't', '{}')).toThrow(ToolCallLimit);
  expect(stops).toHaveLength(1);
});

test('names and arguments are bounded whatever the guest sends', () => {
  const { table, sent } = setUp();
  expect(() => table.begin('s'.repeat(257), 't', '{}')).toThrow(/longer than 256/);
  expect(() => table.begin('s', 't'.repeat(257), '{}')).toThrow(/longer than 256/);
  expect(() => table.begin('s', 't', 'é'.repeat(51))).toThrow(/larger than 100 bytes/);
  expect(table.begin('s'.repeat(256), 't', 'é'.repeat(50))).toBe(1);
  expect(sent).toHaveLength(1);
});

test('four megabytes of arguments are on their way at once; a larger call goes alone', () => {
  const { table, sent } = setUp({ maxConcurrentToolCalls: 8, maxToolArgumentBytes: 64_000_000 });
  const args = JSON.stringify({ x: 'é'.repeat(900_000) });
  for (let i = 0; i < 4; i++) table.begin('s', 't', args);
  table.begin('s', 'large', JSON.stringify({ x: 'y'.repeat(5_000_000) }));
  table.begin('s', 'small', '{}');
  expect(sent.map(({ number }) => number)).toEqual([1, 2]);
  table.settle(1, true);
  expect(sent.map(({ number }) => number)).toEqual([1, 2, 3]);
  for (const number of [2, 3]) table.settle(number, true);
  expect(sent.at(-1)).toEqual({ number: 4, server: 's', tool: 't', arguments: args });
  table.settle(4, true);
  expect(sent.at(-1)?.tool).toBe('large');
  table.settle(5, true);
  expect(sent.at(-1)?.tool).toBe('small');
});

test('what the host holds for calls is told, and given back when they are answered, but for their records', () => {
  let held = 0;
  const table = createCallTable({
    maxToolCalls: 10,
    maxConcurrentToolCalls: 1,
    maxToolArgumentBytes: 1_000,
    send: () => undefined,
    onLimit: () => undefined,
    onHeld: (bytes) => (held += bytes),
  });
  for (let i = 0; i < 3; i++) table.begin('s', 't', `{"x":"${'y'.repeat(100)}"}`);
  expect(held).toBe(3 * (512 + 108));
  for (let i = 1; i <= 3; i++) table.settle(i, true);
  expect(held).toBe(3 * 512);
});

test('a call that there is no memory for has not begun', () => {
  const sent: OutgoingCall[] = [];
  const onHeld = (): void => {
    throw new Error('no memory');
  };
  const table = createCallTable({
    maxToolCalls: 10,
    maxConcurrentToolCalls: 1,
    maxToolArgumentBytes: 10,
    send: (call) => void sent.push(call),
    onLimit: () => undefined,
    onHeld,
  });
  expect(() => table.begin('s', 't', '{}')).toThrow('no memory');
  expect([sent, table.running, table.records()]).toEqual([[], 0, []]);
});

test('a table goes on where another one was put away: what is on its way stays so, and what waits goes out in its turn', () => {
  const held: number[] = [];
  const options = {
    maxToolCalls: 5,
    maxConcurrentToolCalls: 2,
    maxToolArgumentBytes: 100,
    onHeld: (bytes: number) => void held.push(bytes),
  };
  const sent: OutgoingCall[] = [];
  const more = { ...options, send: (call: OutgoingCall) => void sent.push(call), onLimit: () => undefined };
  let now = 100;
  const first = createCallTable({ ...more, now: () => now });
  for (let i = 1; i <= 4; i++) first.begin('s', `t${i}`, `{"i":${i},"ü":"${'x'.repeat(i)}"}`);
  first.settle(2, false, 'ERR_CALL_TOOL');
  now = 150;
  const state = first.snapshot();
  expect([first.pending(), first.lastSent, first.begun, first.running]).toEqual([[1, 3], 3, 4, 3]);

  const [all, gone] = [sent.splice(0).length, held.splice(0).length];
  expect([all, gone]).toEqual([3, 5]);
  const second = createCallTable({ ...more, now: () => now }, state);
  expect([second.pending(), second.lastSent, second.begun, second.running, sent, held]).toEqual([[1, 3], 3, 4, 3, [], []]);
  expect([second.settle(2, true), second.settle(4, true), second.isRunning(2), second.isRunning(4), second.isRunning(5)]).toEqual([
    false,
    false,
    false,
    true,
    false,
  ]);
  now = 170;
  expect(second.settle(1, true)).toBe(true);
  expect(sent).toEqual([{ number: 4, server: 's', tool: 't4', arguments: '{"i":4,"ü":"xxxx"}' }]);
  expect(second.records()).toMatchObject([
    { ok: true, ms: 70 },
    { ok: false, ms: 0, code: 'ERR_CALL_TOOL' },
    { ok: false, ms: 70 },
    { ok: false, ms: 70 },
  ]);
  expect([second.begin('s', 't5', '{}'), second.begun]).toEqual([5, 5]);
  expect(() => second.begin('s', 't6', '{}')).toThrow(ToolCallLimit);
});
