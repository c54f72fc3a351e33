import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openKeptResults } from '../../src/kept-result/kept-results.ts';
import type { Keep } from '../../src/result/keep.ts';
import type { ExecuteResponse } from '../../src/result/present.ts';
import { present } from './outcome-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ampoule-logs-'));
const store = await openKeptResults({ directory, maxBytes: 50_000_000, ttlMs: 60_000 });
afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});
const keep: Keep = (bytes, pages) => store.keep('ann', bytes, pages);

/** The whole of a log that an answer says is kept. */
function whole({ structured }: ExecuteResponse): string {
  const { uri = '', bytes = 0 } = structured.kept?.find(({ what }) => what === 'logs') ?? {};
  const id = uri.slice('ampoule://results/'.length);
  return Buffer.from(store.read('ann', id, 'unit=bytes', { maxBytes: bytes, maxMediaBytes: bytes }).bytes).toString();
}

describe('a log that is too large', () => {
  const entries = (count: number): { level: 'info'; message: string }[] =>
    Array.from({ length: count }, (_, index) => ({ level: 'info', message: `${String(index).padStart(4, '0')}${'y'.repeat(96)}` }));
  const logged = (count: number, limit: number): Promise<ExecuteResponse> =>
    present({ status: 'completed', result: '1', state: '' }, { logs: entries(count) }, { maxLogBytes: limit }, { keep });

  test('is whole just within the limit, and has its first and last lines just over it', async () => {
    expect((await logged(50, 5_000)).structured).toMatchObject({ logs: entries(50) });
    const { structured } = await logged(50, 4_999);
    const shown = structured.logs.filter(({ message }) => /^\d{4}y/.test(message));
    expect(structured.logs[0]?.message).toMatch(/^0000y/);
    expect(structured.logs.at(-1)?.message).toMatch(/^0049y/);
    expect(shown.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThanOrEqual(4_999);
    const cut = (index: number): object => ({ path: `$.logs[${index}].message`, of: 100, unit: 'characters' });
    expect(structured.kept).toMatchObject([{ what: 'logs', shortened: [cut(24), cut(25)] }]);
    const fewer = (await logged(50, 3_000)).structured;
    const lines = fewer.logs.filter(({ message }) => /^\d{4}y/.test(message));
    expect(fewer.kept).toMatchObject([{ what: 'logs', shortened: [{ path: '$.logs', shown: lines.length, of: 50, unit: 'lines' }] }]);
  });

  test('of one line is shortened inside of it', async () => {
    const logs = [{ level: 'warn' as const, message: 'z'.repeat(20_000) }];
    const response = await present({ status: 'completed', result: '1', state: '' }, { logs }, { maxLogBytes: 1_000 }, { keep });
    expect(response.structured.logs[0]?.message).toMatch(/^z{100,500}… \(\d+ more characters\)$/);
    expect(JSON.parse(whole(response))).toEqual(logs[0]);
    expect(response.structured.kept).toMatchObject([
      { shortened: [{ path: '$.logs[0].message', shown: expect.any(Number), of: 20_000, unit: 'characters' }] },
    ]);
  });

  test.each([
    ['as entries', 2_000],
    ['as bytes', 60_000],
  ])('of empty lines, which are no bytes of text, is shortened too: %s', async (_name, count) => {
    const logs = Array.from({ length: count }, () => ({ level: 'info' as const, message: '' }));
    const given = count > 2_000 ? { large: { logs: Buffer.from(logs.map((entry) => `${JSON.stringify(entry)}\n`).join('')) } } : { logs };
    const { structured } = await present({ status: 'completed', result: '1', state: '' }, given, { maxLogBytes: 10_000 }, { keep });
    expect(JSON.stringify(structured.logs).length).toBeLessThan(12_000);
    expect(structured.kept).toMatchObject([{ what: 'logs', shortened: [{ shown: 312, of: count, unit: 'lines' }] }]);
  });

  test('of which nothing may be shown is kept', async () => {
    const { structured } = await logged(3, 0);
    expect(structured.logs).toMatchObject([{ level: 'debug', message: '… 3 lines of the log are left out here …' }]);
    expect(structured.kept).toHaveLength(1);
  });

  test('tells places in the code of the agent also where it is kept', async () => {
    const logs = Buffer.from(`${JSON.stringify({ level: 'error', message: 'Error: x\n    at program.js:103:5' })}\n`.repeat(3_000));
    const response = await present({ status: 'completed', result: '1', state: '' }, { large: { logs } }, {}, { keep });
    expect(whole(response)).not.toContain('program.js');
    expect(response.structured.logs[0]?.message).toContain('line 3, column 5');
  });
});
