import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDrift, type Drift, type DriftOptions } from '../../src/drift/drift.ts';
import { DriftStore, FORGET_AFTER_MS, MIGRATIONS } from '../../src/drift/drift-store.ts';
import { namedTools } from '../../src/drift/named-tools.ts';
import { SandboxError } from '../../src/errors.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { catalog, server, tool } from '../wrappers/catalogs.ts';

let folder: string;
let file: string;
let logged: string[];
const open = new Set<Drift>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ampoule-drift-'));
  file = join(folder, 'drift.db');
  logged = [];
});
afterEach(async () => {
  for (const drift of open) drift.close();
  open.clear();
  await rm(folder, { recursive: true });
});

function start(options: Partial<DriftOptions> = {}): Drift {
  const drift = createDrift({ file, log: { warn: (_fields, message) => void logged.push(message) }, ...options });
  open.add(drift);
  return drift;
}

function close(drift: Drift): void {
  drift.close();
  open.delete(drift);
}

const wrappers = (from: Catalog): WrapperSet => ({ hash: '', files: new Map(), tools: [], catalog: from });
const ONE = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const TWO = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
const at = (schema: object, name = 't'): WrapperSet => wrappers(catalog(server('s', [tool(name, schema), tool('other')])));
const USES = 'callTool("s", "t", input)';

interface RunOptions {
  code?: string;
  principal?: string;
  script?: string;
  calls?: { server: string; tool: string }[];
}

/** A run whose check passes; gives what is told. */
async function run(
  drift: Drift,
  set: WrapperSet,
  { code = 'code', principal = 'p', script = USES, calls = [] }: RunOptions = {},
): Promise<string[]> {
  const program = drift.begin({ code, principal, wrappers: set });
  program.passed(script, calls);
  await sleep(5);
  return program.warnings.map(({ message }) => message);
}

const TOLD = 's.t changed since this program was last checked: argument "a" is now number, it was string.';

test('a change is told to the next run of a program, once', async () => {
  const drift = start();
  expect(await run(drift, at(ONE))).toEqual([]);
  expect(await run(drift, at(ONE))).toEqual([]);
  expect(await run(drift, at(TWO))).toEqual([TOLD]);
  expect(await run(drift, at(TWO))).toEqual([]);
});

test('nothing is told to another program, to another principal, or about tools that the program does not use', async () => {
  const drift = start();
  await run(drift, at(ONE));
  expect(await run(drift, at(TWO), { code: 'other code' })).toEqual([]);
  expect(await run(drift, at(TWO), { principal: 'q' })).toEqual([]);
  await run(drift, at(ONE), { code: 'uses other', script: 'callTool("s", "other")' });
  expect(await run(drift, at(TWO), { code: 'uses other', script: 'callTool("s", "other")' })).toEqual([]);
});

test('what a program called at run time counts as what it names', async () => {
  const drift = start();
  await run(drift, at(ONE), { script: '', calls: [{ server: 's', tool: 't' }] });
  expect(await run(drift, at(TWO), { script: '' })).toEqual([TOLD]);
});

test('a check that fails tells it every time, until one passes', async () => {
  const drift = start();
  await run(drift, at(ONE));
  for (let times = 0; times < 2; times++) {
    const program = drift.begin({ code: 'code', principal: 'p', wrappers: at(TWO) });
    const location = { line: 1, column: 2, source: 'x' };
    const error = program.explain(
      new SandboxError('ERR_CHECK_TYPES', 'no', { location, diagnostics: [{ message: 'no', tsCode: 2322, location }] }),
    );
    expect(error).toMatchObject({ code: 'ERR_CHECK_TYPES', message: 'no' });
    expect(error.details).toEqual({
      location,
      hint: `${TOLD} Correct the calls and send the code again.`,
      diagnostics: [
        { message: 'no', tsCode: 2322, location },
        { code: 'WARN_SCHEMA_DRIFT', message: TOLD },
      ],
    });
  }
  const busy = new SandboxError('ERR_EXECUTE_BUSY', 'busy');
  expect(drift.begin({ code: 'code', principal: 'p', wrappers: at(TWO) }).explain(busy)).toBe(busy);
  const plain = new SandboxError('ERR_CHECK_TYPES', 'no');
  expect(drift.begin({ code: 'new code', principal: 'p', wrappers: at(TWO) }).explain(plain)).toBe(plain);
});

test('what is known survives a restart, and a kill right after a moment', async () => {
  const first = start();
  await run(first, at(ONE));
  close(first);
  const second = start();
  expect(await run(second, at(ONE))).toEqual([]);
  await run(second, at(ONE), { code: 'more' });
  await sleep(100);
  expect(await run(start(), at(TWO), { code: 'more' })).toEqual([TOLD]);
});

test('a tool is gone when its server lists others, or there is no such server; a server that is not connected says nothing', async () => {
  const drift = start();
  for (const code of ['1', '2', '3']) await run(drift, at(ONE), { code });
  const gone = 's.t changed since this program was last checked: the tool is gone.';
  expect(await run(drift, at(ONE, 'renamed'), { code: '1' })).toEqual([gone]);
  expect(await run(drift, wrappers(catalog()), { code: '2' })).toEqual([gone]);
  const away = wrappers(catalog(server('s', [], 'connecting')));
  expect(await run(drift, away, { code: '3' })).toEqual([]);
  expect(await run(drift, at(TWO), { code: '3' })).toEqual([TOLD]);
});

test('a program without tools leaves nothing', async () => {
  const drift = start();
  await run(drift, at(ONE), { script: 'return 1' });
  close(drift);
  expect(countOf('programs')).toBe(0);
});

test('a program without tools that calls one later is remembered from then on', async () => {
  const drift = start();
  for (let times = 0; times < 2; times++) await run(drift, at(ONE), { script: 'return 1' });
  await run(drift, at(ONE), {
    script: 'return 1',
    calls: [
      { server: 's', tool: 't' },
      { server: 's', tool: 'none' },
    ],
  });
  expect(await run(drift, at(TWO), { script: 'return 1' })).toEqual([TOLD]);
});

test('a program that calls more than before is remembered with that', async () => {
  const drift = start();
  await run(drift, at(ONE), { script: 'callTool("s", "other")' });
  await run(drift, at(ONE), { script: 'callTool("s", "other")', calls: [{ server: 's', tool: 't' }] });
  expect(await run(drift, at(TWO), { script: 'callTool("s", "other")' })).toEqual([TOLD]);
});

test('a program that runs all the time is not forgotten', async () => {
  let now = FORGET_AFTER_MS;
  for (let times = 0; times < 3; times++) {
    const drift = start({ now: () => now });
    await run(drift, at(ONE));
    close(drift);
    now += FORGET_AFTER_MS - 1;
  }
  const last = start({ now: () => now });
  // What is too old goes when something is written.
  await run(last, at(ONE), { code: 'other code' });
  await sleep(100);
  expect(await run(last, at(TWO))).toEqual([TOLD]);
});

test('a tool that changes all the time is told each time, and what is stored does not grow', async () => {
  const drift = start();
  await run(drift, at(ONE));
  for (let times = 0; times < 20; times++) {
    expect(await run(drift, at(TWO))).toEqual([TOLD]);
    expect(await run(drift, at(ONE))).toHaveLength(1);
  }
  close(drift);
  expect([countOf('programs'), countOf('uses'), countOf('outlines')]).toEqual([1, 1, 2]);
});

test('as many tools are told as an answer has room for', async () => {
  const names = [...Array(80).keys()].map((number) => `t${number}`);
  const all = (schema: object): WrapperSet =>
    wrappers(
      catalog(
        server(
          's',
          names.map((name) => tool(name, schema)),
        ),
      ),
    );
  const script = names.map((name) => `callTool("s", "${name}")`).join();
  const drift = start();
  await run(drift, all(ONE), { script });
  const told = await run(drift, all(TWO), { script });
  expect(told).toHaveLength(11);
  expect(told.at(-1)).toBe('54 more tools of this program changed since it was last checked.');
});

test('there are so many programs, those that did not run for a time go, and outlines that nobody needs', () => {
  const store = new DriftStore(openDatabase({ file, migrations: MIGRATIONS }));
  const program = (id: number): Parameters<DriftStore['keep']>[0][number] => ({
    id: Buffer.from([id]),
    uses: [{ server: 's', tool: 't', outline: { hash: `h${id}`, text: '{}' } }],
  });
  const now = FORGET_AFTER_MS * 2;
  store.keep([program(1)], now - FORGET_AFTER_MS - 1);
  store.keep([program(2)], now - FORGET_AFTER_MS);
  store.keep([program(3)], now - 2);
  store.keep([program(4)], now - 1);
  store.sweep(now);
  expect([1, 2, 3, 4].filter((id) => store.find(Buffer.from([id])))).toEqual([2, 3, 4]);
  store.sweep(now, 2);
  expect([1, 2, 3, 4].filter((id) => store.find(Buffer.from([id])))).toEqual([3, 4]);
  store.close();
  expect(countOf('outlines')).toBe(2);
});

test.each([
  ['is no database', 'rubbish '.repeat(500)],
  ['is cut', ''],
])('a file that %s does not fail the start', async (_, text) => {
  await writeFile(file, text);
  const drift = start();
  await run(drift, at(ONE));
  expect(await run(drift, at(TWO))).toEqual([TOLD]);
});

test('a file without its tables is ignored', async () => {
  new DatabaseSync(file).exec('PRAGMA user_version = 1');
  const drift = start();
  await run(drift, at(ONE));
  expect(await run(drift, at(TWO))).toEqual([TOLD]);
  expect(logged).toHaveLength(1);
});

test('what was written wrongly is logged and nothing is told', async () => {
  const drift = start();
  await run(drift, at(ONE));
  await sleep(100);
  const db = new DatabaseSync(file);
  db.exec("UPDATE outlines SET outline = 'no JSON'");
  db.close();
  expect(await run(drift, at(TWO))).toEqual([]);
  expect(logged).toEqual(['What programs were checked against cannot be kept']);
});

test('the question costs next to nothing', async () => {
  const drift = start();
  const set = at(ONE);
  await run(drift, set);
  await sleep(100);
  const began = performance.now();
  for (let times = 0; times < 1_000; times++) drift.begin({ code: 'code', principal: 'p', wrappers: set });
  // Some hundredths of a millisecond here; the bound is for a machine that is busy.
  expect((performance.now() - began) / 1_000).toBeLessThan(1);
});

test.each([
  ['a wrapper', 'return callTool("a", "b", input);', ['a b']],
  ["esbuild's other quotes", `callTool('say "hi"', 'it\\'s', input)`, ['say "hi" it\'s']],
  ['a renamed import', 'callTool2("a", "b")', ['a b']],
  ['escapes', String.raw`callTool("a\u2028", "b\\c")`, ['a\u2028 b\\c']],
  ['the same call twice', 'callTool("a", "b"); callTool( "a",\n "b" )', ['a b']],
  ['names from variables', 'callTool(a, "b"); callTool("a", name)', []],
  ['an escape that JSON does not know', String.raw`callTool("\x41", "b")`, []],
])('the tools of a script are found in %s', (_, script, expected) => {
  expect(namedTools(script, 10).map(({ server: name, tool: one }) => `${name} ${one}`)).toEqual(expected);
});

test('a long script of almost calls takes no time', () => {
  const began = performance.now();
  for (const part of ['callTool("', 'callTool("\\', "callTool('a', '", 'callTool(   ']) namedTools(part.repeat(100_000), 10);
  expect(performance.now() - began).toBeLessThan(1_000);
});

function countOf(table: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const count = Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']);
  db.close();
  return count;
}
