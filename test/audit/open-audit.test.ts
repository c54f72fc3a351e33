import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { openAuditHash } from '../../src/audit/audit-hashes.ts';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import type { Audit } from '../../src/audit/audit.ts';
import { openAudit } from '../../src/audit/open-audit.ts';
import { auditSchema } from '../../src/config/audit-schema.ts';
import { temporary } from '../e2e/harness.ts';

const folder = await temporary();
afterAll(() => folder[Symbol.asyncDispose]());
let folders = 0;

function place(): string {
  const directory = join(folder.path, String(folders++));
  mkdirSync(directory);
  return directory;
}

function opened(directory: string, config: object = {}, redact = (text: string): string => text): { audit: Audit; warnings: string[] } {
  const warnings: string[] = [];
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  return { audit: openAudit({ config: auditSchema.parse(config), directory, redact, log }), warnings };
}

function lines(directory: string): unknown[] {
  const register = openAuditRegister(join(directory, 'audit.db'));
  try {
    return register.last({}, 100).map(({ line }) => line);
  } finally {
    register.close();
  }
}

test('lines go to the store and to the file', () => {
  const directory = place();
  const file = join(directory, 'lines.jsonl');
  const { audit } = opened(directory, { file });
  audit.record({ kind: 'key', principal: 'local', action: 'create', subject: 'ci' });
  audit.close();
  expect(lines(directory)).toEqual([{ time: expect.any(Number), kind: 'key', principal: 'local', action: 'create', subject: 'ci' }]);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'key', subject: 'ci' });
});

test('without store and file there is no audit, and no file either', () => {
  const directory = place();
  const { audit } = opened(directory, { store: false });
  expect(audit.isOff).toBe(true);
  audit.record({ kind: 'key' });
  audit.close();
  expect(readdirSync(directory)).toEqual([]);
});

describe('hashes', () => {
  test('are the same for the same text in one installation, after a restart too, and others elsewhere', () => {
    const [here, there] = [join(place(), 'audit.key'), join(place(), 'audit.key')];
    const hash = openAuditHash(here);
    expect(hash('{"id":17}')).toMatch(/^[\da-f]{64}$/);
    expect(openAuditHash(here)('{"id":17}')).toBe(hash('{"id":17}'));
    expect(hash('{"id":18}')).not.toBe(hash('{"id":17}'));
    expect(openAuditHash(there)('{"id":17}')).not.toBe(hash('{"id":17}'));
    expect(statSync(here).mode & 0o777).toBe(0o600);
  });

  test('a damaged key is made anew, and one that is good is never written over', () => {
    const file = join(place(), 'audit.key');
    writeFileSync(file, 'short');
    const hash = openAuditHash(file);
    expect(openAuditHash(file)('a')).toBe(hash('a'));
    expect(readFileSync(file, 'utf8')).toMatch(/^[\da-f]{64}\n$/);
  });
});

describe('a database that cannot be used', () => {
  const damaged = (directory: string): void => writeFileSync(join(directory, 'audit.db'), 'this is no database'.repeat(1_000));

  test('is put aside when it is damaged, and a new one begins', () => {
    const directory = place();
    damaged(directory);
    const { audit, warnings } = opened(directory);
    audit.record({ kind: 'key', subject: 'after' });
    audit.close();
    expect(warnings).toContain('The database of the audit is damaged: it was put aside, and a new one begins');
    expect(lines(directory)).toEqual([expect.objectContaining({ subject: 'after' })]);
    const aside = readdirSync(directory).find((name) => name.includes('damaged')) ?? '';
    expect(readFileSync(join(directory, aside), 'utf8')).toContain('this is no database');
  });

  test('stops the start when nothing may run unrecorded', () => {
    const directory = place();
    damaged(directory);
    expect(() => opened(directory, { onFailure: 'refuse' })).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_STORE' }));
    expect(readdirSync(directory).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test('of a newer version is left as it is, with a warning or an error', async () => {
    const directory = place();
    opened(directory).audit.close();
    const db = new DatabaseSync(join(directory, 'audit.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { audit, warnings } = opened(directory);
    audit.record({ kind: 'key' });
    await audit.begin({ kind: 'begin' });
    audit.close();
    expect(warnings[0]).toBe('The audit cannot be written to the store; it is tried again');
    expect(() => opened(directory, { onFailure: 'refuse' })).toThrow(/newer version/);
    const after = new DatabaseSync(join(directory, 'audit.db'));
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    after.close();
  });

  test('is tried again, and has everything once it can be used', async () => {
    const directory = place();
    const away = join(directory, 'cache');
    const { audit, warnings } = opened(away);
    audit.record({ kind: 'key', subject: 'early' });
    expect(warnings).toHaveLength(2);
    mkdirSync(away);
    await expect.poll(() => existsSync(join(away, 'audit.db')), { timeout: 3_000 }).toBe(true);
    audit.close();
    expect(lines(away)).toEqual([expect.objectContaining({ subject: 'early' })]);
  });

  test.skipIf(process.getuid?.() === 0)('in a folder that may not be written stops the start when nothing may run unrecorded', () => {
    const directory = place();
    chmodSync(directory, 0o500);
    expect(() => opened(directory, { onFailure: 'refuse' })).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_STORE' }));
    expect(opened(directory).warnings.length).toBeGreaterThan(0);
  });
});

test('another process that writes at the same time holds nobody up for long, and nothing is lost', async () => {
  const directory = place();
  const { audit } = opened(directory);
  audit.record({ kind: 'key', subject: 'one' });
  await expect.poll(() => lines(directory).length).toBe(1);
  const other = new DatabaseSync(join(directory, 'audit.db'));
  other.exec('BEGIN IMMEDIATE');
  audit.record({ kind: 'key', subject: 'two' });
  const began = performance.now();
  await new Promise((resolve) => void setTimeout(resolve, 60));
  expect(performance.now() - began).toBeLessThan(1_500);
  other.exec('COMMIT');
  other.close();
  audit.record({ kind: 'key', subject: 'three' });
  audit.close();
  expect(lines(directory)).toHaveLength(3);
});

describe('values', () => {
  const hidden = (text: string): string => text.replaceAll('hunter2', '***');

  test('are none unless the operator asks', () => {
    expect(opened(place()).audit.values).toBeUndefined();
  });

  test('are without secrets, and shortened only after that', () => {
    const { values } = opened(place(), { values: true }, hidden).audit;
    expect(values?.('{"password":"hunter2"}')).toBe('{"password":"***"}');
    const cut = values?.(`${'x'.repeat(4_093)}hunter2`) ?? '';
    expect(cut).not.toContain('hun');
    expect(cut.length).toBeLessThan(4_200);
    expect(values?.('x'.repeat(4_096))).toBe('x'.repeat(4_096));
    expect(values?.('x'.repeat(4_097))).toBe(`${'x'.repeat(4_096)}… (1 more characters)`);
    expect(values?.('x'.repeat(70_000))).toBe('(70000 characters)');
  });
});
