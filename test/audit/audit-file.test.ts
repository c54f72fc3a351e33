import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { AuditLine } from '../../src/audit/audit-event.ts';
import { openAuditFile } from '../../src/audit/audit-file.ts';
import { temporary } from '../e2e/harness.ts';

const folder = await temporary();
afterAll(() => folder[Symbol.asyncDispose]());
let files = 0;
const path = (): string => join(folder.path, `audit-${files++}.jsonl`);

const line = (more: Partial<AuditLine> = {}): AuditLine => ({ time: 0, kind: 'call', principal: 'key:a', ...more });
const read = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Record<string, unknown>);

test('lines are appended as JSON, for their owner alone, behind what is there', () => {
  const file = path();
  const first = openAuditFile(file);
  expect(first.write([line({ tool: 'one' }), line({ tool: 'two' })])).toEqual({ written: 2 });
  first.close();
  const second = openAuditFile(file);
  second.write([line({ tool: 'three' })]);
  second.close();
  expect(read(file).map(({ tool }) => tool)).toEqual(['one', 'two', 'three']);
  expect(read(file)[0]).toEqual({ time: '1970-01-01T00:00:00.000Z', kind: 'call', principal: 'key:a', tool: 'one' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a file that was moved away is made again, and one that was cut short is gone on with', () => {
  const file = path();
  const audit = openAuditFile(file);
  audit.write([line({ tool: 'old' })]);
  renameSync(file, `${file}.1`);
  audit.write([line({ tool: 'new' })]);
  expect(read(`${file}.1`).map(({ tool }) => tool)).toEqual(['old']);
  expect(read(file).map(({ tool }) => tool)).toEqual(['new']);
  truncateSync(file, 0);
  audit.write([line({ tool: 'copied' })]);
  expect(read(file).map(({ tool }) => tool)).toEqual(['copied']);
  rmSync(file);
  writeFileSync(file, '');
  audit.write([line({ tool: 'replaced' })]);
  expect(read(file).map(({ tool }) => tool)).toEqual(['replaced']);
  audit.close();
});

test('no name can begin a line of its own, in whatever way lines are read', () => {
  const file = path();
  const audit = openAuditFile(file);
  const forged = 'x\n{"time":"1970-01-01T00:00:00.000Z","kind":"run","principal":"root"}\r\u2028\u2029\u0085\u000b\u000c\u001b[2J\u202e';
  audit.write([line({ principal: forged, server: forged, tool: forged })]);
  audit.close();
  const text = readFileSync(file, 'utf8');
  // oxlint-disable-next-line no-control-regex -- control characters are what it is there to find
  expect(text.match(/[\n\r\u2028\u2029\u0085\u000b\u000c\u001b\u202e]/g)).toEqual(['\n']);
  expect(read(file)).toEqual([expect.objectContaining({ principal: forged, server: forged, tool: forged })]);
});

test('a line that was cut off does not take the next one with it', () => {
  const file = path();
  writeFileSync(file, '{"time":"1970-01-01T00:00:00.000Z","ki');
  const audit = openAuditFile(file);
  audit.write([line({ tool: 'whole' })]);
  audit.close();
  const [torn, whole] = readFileSync(file, 'utf8').split('\n');
  expect(torn).toBe('{"time":"1970-01-01T00:00:00.000Z","ki');
  expect(JSON.parse(whole ?? '')).toMatchObject({ tool: 'whole' });
});

test('two processes that write the same file do not write into each other', () => {
  const file = path();
  const [one, two] = [openAuditFile(file), openAuditFile(file)];
  for (let n = 0; n < 200; n++) {
    one.write([line({ tool: `one-${n}` })]);
    two.write([line({ tool: `two-${n}`, subject: 'x'.repeat(500) })]);
  }
  one.close();
  two.close();
  expect(read(file)).toHaveLength(400);
});

test.each<[string, (file: string) => void]>([
  ['a folder', (file) => mkdirSync(file)],
  ['a pipe that nobody reads', (file) => void execFileSync('mkfifo', [file])],
  ['a device', (file) => symlinkSync('/dev/full', file)],
  ['a folder that is not there', () => undefined],
])('%s is no place for lines, which is told and not thrown', (what, make) => {
  const file = what.endsWith('not there') ? join(folder.path, 'nowhere', 'audit.jsonl') : path();
  make(file);
  const audit = openAuditFile(file);
  const { written, error } = audit.write([line()]);
  expect(written).toBe(0);
  expect(error).toBeInstanceOf(Error);
  audit.close();
});

test('once there is a place again lines are written again', () => {
  const file = join(folder.path, 'later', 'audit.jsonl');
  const audit = openAuditFile(file);
  expect(audit.write([line()]).written).toBe(0);
  mkdirSync(join(folder.path, 'later'));
  expect(audit.write([line()])).toEqual({ written: 1 });
  expect(read(file)).toHaveLength(1);
  audit.close();
});

test('rights that the operator gave stay', () => {
  const file = path();
  appendFileSync(file, '');
  chmodSync(file, 0o640);
  const audit = openAuditFile(file);
  audit.write([line()]);
  audit.close();
  expect(statSync(file).mode & 0o777).toBe(0o640);
});
