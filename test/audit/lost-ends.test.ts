import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuditStore } from '../../src/audit/audit-store.ts';
import { runsWithoutEnd, toldUntil } from '../../src/audit/lost-ends.ts';
import { temporary } from '../e2e/harness.ts';

const LAST = 1_700_000_000_000;

test('those that ended a minute before the last line of the servers before or later, and have no line of their end', async () => {
  await using folder = await temporary();
  const file = join(folder.path, 'audit.db');
  const store = openAuditStore({ file, retentionMs: 1e12, maxBytes: 1e9 });
  const run = (id: string, endedAt: number): { id: string; endedAt: number } => ({ id, endedAt });
  const ended = [
    run('just under', LAST - 60_001),
    run('just over', LAST - 60_000),
    run('called', LAST + 5),
    run('told', LAST - 9),
    run('after', LAST + 1e6),
  ];
  expect(toldUntil(file, LAST + 2e6)).toBeUndefined();
  store.write([
    { kind: 'call', execution: 'called', time: LAST - 1 },
    { kind: 'run', execution: 'told', time: LAST },
    { kind: 'run', execution: 'of a server that was started later', time: LAST + 2e6 },
  ]);
  const since = toldUntil(file, LAST + 2e6);
  expect(since).toBe(LAST - 60_000);
  const late = ended.filter(({ endedAt }) => endedAt >= (since ?? 0));
  expect(runsWithoutEnd(file, late).map(({ id }) => id)).toEqual(['just over', 'called', 'after']);
  expect(runsWithoutEnd(file, [])).toEqual([]);
  store.close();
});
