import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Audit } from '../../src/audit/audit.ts';
import type { AuditEvent, AuditLine } from '../../src/audit/audit-event.ts';
import type { Outlet } from '../../src/audit/audit-outlet.ts';

/** An outlet in memory that fails when it is told to. */
class Shelf implements Outlet {
  readonly name = 'shelf';
  readonly lines: AuditLine[] = [];
  readonly batches: number[] = [];
  error: Error | undefined;
  synced = 0;
  isClosed = false;

  write(lines: readonly AuditLine[]): { written: number; error?: unknown } {
    if (this.error) return { written: 0, error: this.error };
    this.lines.push(...lines);
    this.batches.push(lines.length);
    return { written: lines.length };
  }

  sync(): void {
    this.synced++;
  }

  close(): void {
    this.isClosed = true;
  }
}

interface Opened {
  readonly audit: Audit;
  readonly shelf: Shelf;
  readonly warnings: string[];
  readonly clock: { now: number };
}

function opened({ refuse = false, outlets = 1 } = {}): Opened & { readonly more: Shelf[] } {
  const shelves = Array.from({ length: outlets }, () => new Shelf());
  const warnings: string[] = [];
  const clock = { now: 5_000 };
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  const audit = new Audit({ outlets: shelves, hash: (text) => text, refuse, log, now: () => clock.now });
  const [shelf = new Shelf(), ...more] = shelves;
  return { audit, shelf, warnings, clock, more };
}

const call = (more: Partial<AuditEvent> = {}): AuditEvent => ({ kind: 'call', principal: 'key:a', ...more });
const written = (shelf: Shelf, count: number): Promise<void> => expect.poll(() => shelf.lines.length, { interval: 5 }).toBe(count);

test('lines are written together, at most 100 ms after they were recorded', async () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 50; n++) audit.record(call());
  expect(shelf.lines).toEqual([]);
  await delay(100);
  expect(shelf.batches).toEqual([50]);
  expect(shelf.lines[0]).toEqual({ time: 5_000, kind: 'call', principal: 'key:a' });
  audit.close();
});

test('a line is no later because others were many', async () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 10; n++) audit.record({ kind: 'auth', code: 'ERR_ACCESS_INVALID' });
  await written(shelf, 1);
  audit.record(call());
  await delay(100);
  expect(shelf.lines.map(({ kind }) => kind)).toEqual(['auth', 'call']);
  audit.close();
});

test('everything is written when it is closed, and nothing after', async () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 1_000; n++) audit.record(call());
  audit.close();
  expect(shelf.lines).toHaveLength(1_000);
  expect(shelf.isClosed).toBe(true);
  audit.record(call());
  audit.close();
  await delay(60);
  expect(shelf.lines).toHaveLength(1_000);
});

test('texts of strangers are bounded and well-formed', () => {
  const { audit, shelf } = opened();
  audit.record(call({ server: 's'.repeat(10_000), tool: 'a\ud800', subject: undefined }));
  audit.close();
  expect(shelf.lines[0]?.server).toHaveLength(512);
  expect(shelf.lines[0]?.tool).toBe('a\ufffd');
  expect(Object.keys(shelf.lines[0] ?? {})).not.toContain('subject');
});

test('while a disk takes nothing lines wait, the log hears of it once, and later they are there', async () => {
  const { audit, shelf, warnings } = opened();
  shelf.error = new Error('ENOSPC');
  for (let n = 0; n < 10; n++) {
    audit.record(call({ tool: String(n) }));
    await delay(10);
  }
  await expect.poll(() => warnings.length).toBe(1);
  shelf.error = undefined;
  await written(shelf, 10);
  expect(shelf.lines.map(({ tool }) => tool)).toEqual(Array.from({ length: 10 }, (_, n) => String(n)));
  expect(warnings).toEqual(['The audit cannot be written to the shelf: it is tried again']);
  audit.close();
});

test('what no room is left for is counted, and a line says how many', () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 10_005; n++) audit.record(call());
  audit.close();
  expect(shelf.lines).toHaveLength(10_001);
  expect(shelf.lines.at(-1)).toMatchObject({ kind: 'gap', times: 5, code: 'ERR_AUDIT_STORE' });
});

test('values that wait are bounded in bytes too', () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 3_000; n++) audit.record(call({ values: { arguments: 'x'.repeat(4_096) } }));
  audit.close();
  expect(shelf.lines.length).toBeLessThan(2_000);
  expect(shelf.lines.at(-1)?.times).toBe(3_000 - shelf.lines.length + 1);
});

test('where nothing may start unrecorded, a beginning waits for the disk', async () => {
  const { audit, shelf, more } = opened({ refuse: true, outlets: 2 });
  await audit.begin(call({ kind: 'begin' }));
  expect(shelf.lines).toHaveLength(1);
  expect(more[0]?.lines).toHaveLength(1);
  expect([shelf.synced, more[0]?.synced]).toEqual([1, 1]);
  // Those that come together are written together.
  await Promise.all(Array.from({ length: 20 }, () => audit.begin(call({ kind: 'begin' }))));
  expect(shelf.batches).toEqual([1, 20]);
  audit.close();
});

test('where nothing may start unrecorded, nothing starts while one place cannot be written, and all does again after', async () => {
  const { audit, shelf, more } = opened({ refuse: true, outlets: 2 });
  const [second = shelf] = more;
  second.error = new Error('ENOSPC');
  const refusal = { code: 'ERR_AUDIT_STORE', details: { retryAfterMs: 1_000 } };
  await expect(audit.begin(call({ kind: 'begin' }))).rejects.toMatchObject(refusal);
  // At once, without another try of the disk.
  await expect(audit.begin(call({ kind: 'begin' }))).rejects.toMatchObject(refusal);
  second.error = undefined;
  await expect
    .poll(
      () =>
        audit.begin(call({ kind: 'begin' })).then(
          () => true,
          () => false,
        ),
      { timeout: 3_000 },
    )
    .toBe(true);
  audit.close();
  await expect(audit.begin(call({ kind: 'begin' }))).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
});

test('where the operator only wants to be warned, a beginning waits for nothing and writes nothing', async () => {
  const { audit, shelf } = opened();
  shelf.error = new Error('ENOSPC');
  await audit.begin(call({ kind: 'begin' }));
  audit.close();
  expect(shelf.lines).toEqual([]);
});

test('what anybody can cause in masses is one line a second, with its number', () => {
  const { audit, shelf, clock } = opened();
  const refused = (principal: string): void => audit.record({ kind: 'run', principal, code: 'ERR_QUOTA_RUNS' });
  const failed = (): void => audit.record({ kind: 'auth', code: 'ERR_ACCESS_INVALID', from: '127.0.0.1' });
  for (let n = 0; n < 500; n++) {
    refused('key:a');
    failed();
    audit.record(call({ code: 'ERR_CALL_DENIED' }));
  }
  refused('key:b');
  clock.now += 1_000;
  refused('key:a');
  audit.close();
  const told = shelf.lines.filter(({ kind }) => kind !== 'call').map(({ kind, principal, times }) => [kind, principal, times]);
  expect(told).toEqual([
    ['run', 'key:a', undefined],
    ['auth', undefined, undefined],
    ['run', 'key:b', undefined],
    ['run', 'key:a', 499],
    ['auth', undefined, 499],
    ['run', 'key:a', undefined],
  ]);
  expect(shelf.lines.filter(({ kind }) => kind === 'call')).toHaveLength(500);
});

test('masses under thousands of names are one line too', () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 5_000; n++) audit.record({ kind: 'auth', principal: `p${n}`, code: 'ERR_ACCESS_INVALID' });
  audit.close();
  expect(shelf.lines.length).toBeLessThanOrEqual(1_002);
  expect(shelf.lines.at(-1)?.times).toBeGreaterThan(3_900);
});

test('an audit without a place to write to does nothing', async () => {
  const audit = new Audit({ outlets: [], hash: () => '', refuse: true, log: { warn: () => undefined } });
  audit.record(call());
  await audit.begin(call());
  audit.close();
  expect(audit.isOff).toBe(true);
});

test('where nothing may start unrecorded and no room is left for a line, nothing starts: it does not wait for ever', async () => {
  const { audit, shelf } = opened({ refuse: true });
  for (let n = 0; n < 10_000; n++) audit.record(call());
  await expect(audit.begin(call({ kind: 'begin' }))).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE', details: { retryAfterMs: 1_000 } });
  // Others have room, and so has everybody once the lines are written.
  await audit.begin(call({ kind: 'begin', principal: 'key:b' }));
  await written(shelf, 10_002);
  await audit.begin(call({ kind: 'begin' }));
  audit.close();
});

test('one who floods it takes no line of another', () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 20_000; n++) audit.record(call());
  for (let n = 0; n < 100; n++) audit.record(call({ principal: 'key:b' }));
  for (let n = 0; n < 3_000; n++) audit.record(call({ principal: 'key:c', values: { arguments: 'x'.repeat(4_096) } }));
  audit.record(call({ principal: 'key:d' }));
  audit.close();
  const count = (of: string): number => shelf.lines.filter(({ principal }) => principal === of).length;
  expect([count('key:a'), count('key:b'), count('key:d')]).toEqual([10_000, 100, 1]);
  expect(count('key:c')).toBeLessThan(2_000);
});

test('however many flood it, it is bounded', () => {
  const { audit, shelf } = opened();
  for (let n = 0; n < 50_000; n++) audit.record(call({ principal: `key:${n % 10}` }));
  audit.close();
  expect(shelf.lines.length).toBeLessThan(20_100);
});
