import { expect, test } from 'vitest';
import { auditHashOf } from '../../src/audit/audit-hashes.ts';

const MiB = 1024 * 1024;
/** Twice what a hundred thousand hashes may leave behind; they left two hundred MiB when nothing was freed. */
const ROOM = 130 * MiB;

test('a hundred thousand hashes leave no memory behind', () => {
  const hash = auditHashOf(Buffer.alloc(32, 7));
  const before = process.memoryUsage().rss;
  for (let text = 0; text < 100_000; text++) hash(`program ${text}`);
  expect(process.memoryUsage().rss - before).toBeLessThan(ROOM);
});

test('a hash depends on its key', () => {
  const [one, other] = [auditHashOf(Buffer.alloc(32, 1)), auditHashOf(Buffer.alloc(32, 2))];
  expect(one('delete 17')).toMatch(/^[0-9a-f]{64}$/);
  expect(one('delete 17')).toBe(one('delete 17'));
  expect(one('delete 17')).not.toBe(other('delete 17'));
});
