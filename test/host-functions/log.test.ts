import { expect, test } from 'vitest';
import { createLog, harmless } from '../../host-functions/log.ts';

test('lines are kept in order with their level', () => {
  const log = createLog(100);
  log.append('warn', 'a');
  log.append('shout', 'b\n\tc');
  expect(log.entries).toEqual([
    { level: 'warn', message: 'a' },
    { level: 'info', message: 'b\n\tc' },
  ]);
  expect(log.droppedBytes).toBe(0);
});

test.each([
  ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['a\rb\0c\u0007\u009b', 'a\\u000db\\u0000c\\u0007\\u009b'],
  ['user\u202egpj.exe', 'user\\u202egpj.exe'],
  ['x\u2066y\u200bz\ufeff', 'x\\u2066y\\u200bz\\ufeff'],
  ['tag\u{e0041}', 'tag\\u{e0041}'],
  ['half\ud800', 'half\ufffd'],
  ['line\r\nline', 'line\nline'],
  ['é €😀', 'é €😀'],
])('%j is made harmless', (text, safe) => {
  expect(harmless(text)).toBe(safe);
});

test('the line that crosses the limit is cut on a code point and the rest is counted', () => {
  const log = createLog(38);
  log.append('info', 'ab');
  log.append('info', 'é€😀');
  log.append('info', 'more');
  expect(log.entries.map((entry) => entry.message)).toEqual(['ab', 'é']);
  expect(log.droppedBytes).toBe(3 + 4 + 4);
});

test('a log that fits to the byte drops nothing', () => {
  const log = createLog(21);
  log.append('info', 'abcde');
  expect([log.entries.length, log.droppedBytes]).toEqual([1, 0]);
  log.append('info', 'x');
  expect([log.entries.length, log.droppedBytes]).toEqual([1, 1]);
});

test('a flood of empty lines is bounded', () => {
  const log = createLog(100);
  for (let i = 0; i < 10_000; i++) log.append('info', '');
  expect(log.entries.length).toBe(6);
});

test('a log of no bytes keeps nothing', () => {
  const log = createLog(0);
  log.append('info', 'abc');
  expect([log.entries.length, log.droppedBytes]).toEqual([0, 3]);
});

test('the whole is never larger than the limit, whatever comes', () => {
  const log = createLog(1000);
  for (let i = 0; i < 300; i++) log.append('info', '\u001b😀é'.repeat(i % 7));
  const bytes = log.entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.message), 0);
  expect(bytes).toBeLessThanOrEqual(1000);
  expect(bytes).toBeGreaterThan(600);
});

test('a large log is kept as bytes, one line of JSON for each entry', () => {
  const log = createLog(1_000_000);
  for (let i = 0; i < 3_000; i++) log.append('warn', `line ${i} ${'x'.repeat(40)} "é"`);
  const lines = Buffer.from(log.bytes() ?? [])
    .toString()
    .trimEnd()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    Array.from({ length: 3_000 }, (_, i) => ({ level: 'warn', message: `line ${i} ${'x'.repeat(40)} "é"` })),
  );
  expect(log.entries).toEqual([]);
  expect(log.keptBytes).toBe(log.bytes()?.length);
});

test('a small log has no bytes of its own', () => {
  const log = createLog(1_000_000);
  log.append('info', 'x'.repeat(60_000));
  expect([log.bytes(), log.keptBytes, log.entries.length]).toEqual([undefined, 0, 1]);
});

test('what was not read counts as dropped, and of a full log nothing more is worth reading', () => {
  const log = createLog(20);
  expect(log.messageBytes).toBeGreaterThanOrEqual(20);
  log.append('info', 'x'.repeat(24), 1_000);
  expect(log.droppedBytes).toBe(1_020);
  expect(log.messageBytes).toBe(0);
  log.append('info', '', 500);
  expect([log.droppedBytes, log.entries.length]).toEqual([1_520, 1]);
});

test.each([
  ['a small log', 3, 10],
  ['one of which a part is kept as bytes', 30, 5_000],
  ['a full one', 30, 20_000],
])('%s goes on where another one was put away', (_what, lines, length) => {
  const max = 300_000;
  const write = (log: ReturnType<typeof createLog>, from: number): void => {
    for (let i = from; i < from + lines; i++) log.append('warn', `${i} ${'é"'.repeat(length / 2)}`);
  };
  const whole = createLog(max);
  write(whole, 0);
  write(whole, 100);
  const first = createLog(max);
  write(first, 0);
  const second = createLog(max, structuredClone(first.snapshot()));
  write(second, 100);
  expect([second.entries, second.droppedBytes, second.messageBytes, second.keptBytes]).toEqual([
    whole.entries,
    whole.droppedBytes,
    whole.messageBytes,
    whole.keptBytes,
  ]);
  expect(Buffer.compare(Buffer.from(second.bytes() ?? []), Buffer.from(whole.bytes() ?? []))).toBe(0);
});
