import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import type { AuditLine } from '../../src/audit/audit-event.ts';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import { openAuditStore, type AuditStore } from '../../src/audit/audit-store.ts';
import { temporary } from '../e2e/harness.ts';

const DAY = 86_400_000;
const MiB = 1024 * 1024;
const folder = await temporary();
afterAll(() => folder[Symbol.asyncDispose]());
let files = 0;

function opened({ maxBytes = MiB, retentionMs = 30 * DAY } = {}): { file: string; store: AuditStore & Disposable } {
  const file = join(folder.path, `audit-${files++}.db`);
  const store = openAuditStore({ file, retentionMs, maxBytes });
  return { file, store: { ...store, [Symbol.dispose]: () => store.close() } };
}

function line(more: Partial<AuditLine> = {}): AuditLine {
  return { time: 1_000, kind: 'call', principal: 'key:a', execution: 'exe_1', server: 's', tool: 't', ms: 1.5, ...more };
}

function stored(file: string, choice: Parameters<ReturnType<typeof openAuditRegister>['last']>[0] = {}): AuditLine[] {
  const register = openAuditRegister(file);
  try {
    return register.last(choice, 1_000_000).map((found) => found.line);
  } finally {
    register.close();
  }
}

test('lines come back as they were, in their order, and only their owner may read them', () => {
  const { file, store } = opened();
  using _ = store;
  const lines: AuditLine[] = [
    line({ arguments: 'ab', code: 'ERR_CALL_DENIED', approval: 'refused', approvedBy: 'key:a' }),
    {
      time: 2_000,
      kind: 'run',
      principal: 'local',
      execution: 'exe_2',
      session: '0011',
      program: 'ff',
      fuel: 5,
      calls: 2,
      values: { result: '1' },
    },
    { time: 1_500, kind: 'gap', times: 3, code: 'ERR_AUDIT_STORE' },
  ];
  store.write(lines);
  expect(stored(file)).toEqual(lines);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('lines whose time is over go, slice by slice, and a younger one stays', () => {
  const { file, store } = opened({ retentionMs: DAY });
  using _ = store;
  store.write(Array.from({ length: 1_200 }, (_line, n) => line({ time: n })));
  store.write([line({ time: DAY })]);
  expect(store.prune(DAY + 1_199)).toBe(true);
  expect(stored(file)).toHaveLength(701);
  while (store.prune(DAY + 1_199));
  expect(stored(file).map(({ time }) => time)).toEqual([1_199, DAY]);
  expect(store.prune(2 * DAY)).toBe(true);
  expect(stored(file).map(({ time }) => time)).toEqual([DAY]);
});

test('past the bytes the oldest go, of the principal that has most', () => {
  const { file, store } = opened({ maxBytes: MiB });
  using _ = store;
  store.write([line({ principal: 'key:quiet', time: 1 })]);
  for (let n = 0; n < 40; n++) store.write(Array.from({ length: 200 }, () => line({ principal: 'key:loud', time: 2 + n })));
  expect(stored(file)).toHaveLength(8_001);
  while (store.prune(1_000));
  const left = stored(file);
  expect(left.length).toBeLessThan(8_001);
  expect(left.length).toBeGreaterThan(5_000);
  // One principal cannot push out what another has done.
  expect(left[0]).toMatchObject({ principal: 'key:quiet' });
  expect(left.at(-1)).toMatchObject({ principal: 'key:loud', time: 41 });
  expect(left[1]?.time).toBeGreaterThan(2);
});

test('just as many bytes as may be stay', () => {
  const { file, store } = opened({ maxBytes: MiB });
  using _ = store;
  store.write([line()]);
  const db = new DatabaseSync(file);
  const bytes = Number(db.prepare('SELECT bytes FROM lines').get()?.['bytes']);
  db.close();
  store.write(Array.from({ length: Math.floor(MiB / bytes) - 1 }, () => line()));
  expect(store.prune(1_000)).toBe(false);
  store.write([line()]);
  expect(store.prune(1_000)).toBe(true);
  expect(store.prune(1_000)).toBe(false);
});

test('the file does not grow on and on', () => {
  const { file, store } = opened({ maxBytes: MiB });
  using _ = store;
  for (let n = 0; n < 60; n++) {
    store.write(Array.from({ length: 500 }, () => line({ principal: `key:${n % 3}`, tool: 'x'.repeat(100) })));
    while (store.prune(1_000));
  }
  expect(statSync(file).size).toBeLessThan(3 * MiB);
});

test('names of columns and quotes in names are names', () => {
  const { file, store } = opened();
  using _ = store;
  const hostile = line({ principal: "x'); DROP TABLE lines; --", server: '__proto__', tool: 'a\nb"\u0000', code: 'constructor' });
  store.write([hostile]);
  expect(stored(file)).toEqual([hostile]);
  expect(stored(file, { principal: hostile.principal, server: '__proto__', tool: hostile.tool, code: 'constructor' })).toHaveLength(1);
});

test('choices narrow what is found, each by itself and together', () => {
  const { file, store } = opened();
  using _ = store;
  store.write([
    line({ principal: 'key:ci-1', time: 1 }),
    line({ principal: 'key:ci-2', time: 2, code: 'ERR_CALL_DENIED', execution: 'exe_2' }),
    line({ principal: 'local', time: 3, server: 'other', tool: 'get_all' }),
    { time: 4, kind: 'run', principal: 'local', execution: 'exe_3', code: 'ERR_EXECUTE_FUEL' },
  ]);
  const times = (choice: Parameters<typeof stored>[1]): number[] => stored(file, choice).map(({ time }) => time);
  expect(times({ principal: 'key:ci-*' })).toEqual([1, 2]);
  expect(times({ principal: 'key:ci-2' })).toEqual([2]);
  expect(times({ failed: true })).toEqual([2, 4]);
  expect(times({ code: 'ok' })).toEqual([1, 3]);
  expect(times({ code: 'ERR_EXECUTE_FUEL' })).toEqual([4]);
  expect(times({ kind: 'run' })).toEqual([4]);
  expect(times({ server: 'oth*', tool: 'get_*' })).toEqual([3]);
  expect(times({ execution: 'exe_2' })).toEqual([2]);
  expect(times({ since: 3 })).toEqual([3, 4]);
  expect(times({ since: 3, kind: 'call', failed: true })).toEqual([]);
});

test('new lines are followed without one twice or left out', () => {
  const { file, store } = opened();
  using _ = store;
  store.write(Array.from({ length: 6_000 }, (_line, n) => line({ time: n, tool: n % 2 === 0 ? 'even' : 'odd' })));
  const register = openAuditRegister(file);
  const found: number[] = [];
  let upTo = 0;
  for (let looks = 0; looks < 5; looks++) {
    const next = register.after({ tool: 'odd' }, upTo);
    upTo = next.upTo;
    found.push(...next.lines.map(({ line: { time } }) => time));
    if (looks === 2) store.write([line({ time: 6_001, tool: 'odd' })]);
  }
  register.close();
  expect(found).toEqual([...Array.from({ length: 3_000 }, (_line, n) => n * 2 + 1), 6_001]);
});

test('a file of a newer version, and one that is no database, are refused with a reason', () => {
  const { file, store } = opened();
  store.close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const options = { file, retentionMs: DAY, maxBytes: MiB };
  expect(() => openAuditStore(options)).toThrow(/a newer version of Ampoule wrote it/);
  expect(() => openAuditRegister(file)).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_STORE' }));
});
