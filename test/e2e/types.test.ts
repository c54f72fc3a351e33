import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANES } from '../server/clients.ts';
import { answerOf, fixture, startAmpoule, temporary, type Ampoule, type Answer } from './harness.ts';
import { until } from './processes.ts';

/** What upstream servers really do, told to programs and agents: learned results, changed schemas, results that break theirs. */

const CONFIG = { mcpServers: { drifting: fixture('drifting'), other: fixture('drifting') } };

type Warning = NonNullable<Answer['output']['warnings']>[number];

function warningsOf({ output }: Answer, code: string): Warning[] {
  return (output.warnings ?? []).filter((warning) => warning.code === code);
}

/** Lets the server change its tools, and waits until the wrappers have followed. */
async function stage(ampoule: Ampoule, to: number, isThere: (wrapper: string) => boolean): Promise<void> {
  await ampoule.execute('import { stage } from "servers/drifting"; return stage({ to: input });', { input: to });
  const file = join(ampoule.directory, 'generated', 'drifting', 'listIssues.ts');
  let text = 'not read yet';
  const read = async (): Promise<void> => void (text = await readFile(file, 'utf8').catch(() => ''));
  const timer = setInterval(() => void read(), 20);
  await until(`the wrappers of stage ${to}`, () => isThere(text), 20_000).finally(() => clearInterval(timer));
  // The set in memory is taken over right after it was written.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule(CONFIG)));
afterAll(() => ampoule.stop());

describe('results that break their declared schema', () => {
  test.each(LANES)('are delivered with a warning that names tool and field and no value, %s', async (lane) => {
    const client = await ampoule.connect(lane);
    const code = 'import { broken } from "servers/drifting"; const { rows } = await broken({}); await broken({}); return rows?.length;';
    const answer = answerOf(await client.call({ code }));
    expect(answer.output).toMatchObject({ status: 'completed', result: 3 });
    const warning = 'drifting.broken broke its declared output schema: result.rows[].n is a string, declared as number (2 answers)';
    expect(answer.output.warnings).toEqual([{ code: 'WARN_OUTPUT_SCHEMA', message: warning }]);
    expect(JSON.stringify(answer)).not.toContain('SECRET');
  });

  test('an answer without structured content is one, too', async () => {
    const answer = await ampoule.execute('import { textual } from "servers/drifting"; return typeof (await textual({}));');
    expect(answer.output.result).toBe('string');
    expect(warningsOf(answer, 'WARN_OUTPUT_SCHEMA')[0]?.message).toContain('drifting.textual');
  });

  test('are told of a run that fails as well', async () => {
    const code = 'import { broken } from "servers/drifting"; await broken({}); throw new Error("no");';
    expect(warningsOf(await ampoule.execute(code), 'WARN_OUTPUT_SCHEMA')).toHaveLength(1);
  });
});

test('in strict mode a broken result is an error that the program can catch, and with "off" nobody looks', async () => {
  const code =
    'import { broken } from "servers/drifting"; try { return (await broken({})).rows?.length; } catch (error) { return [error.code, error.message]; }';
  const strict = await startAmpoule({ ...CONFIG, types: { outputs: 'error' } });
  const { output } = await strict.execute(code);
  expect(output.result).toEqual(['ERR_CALL_OUTPUT', expect.stringContaining('result.rows[].n is a string, declared as number')]);
  expect(output.calls).toEqual([expect.objectContaining({ ok: false, code: 'ERR_CALL_OUTPUT' })]);
  expect(output.warnings).toBeUndefined();
  await strict.stop();
  const off = await startAmpoule({ ...CONFIG, types: { outputs: 'off' } });
  const loose = await off.execute(code);
  expect(loose.output).toMatchObject({ status: 'completed', result: 3 });
  expect(loose.output.warnings).toBeUndefined();
  await off.stop();
});

describe('schemas that change', () => {
  const uses =
    'import * as drifting from "servers/drifting";\nreturn (await drifting.listIssues({ repo: "a/b", limit: 2 })).items[0].title;';
  const bare =
    'import { callTool } from "ampoule";\nconst name = "list_issues";\nawait callTool("drifting", name, { repo: "a/b" });\nreturn 1;';
  const others = 'import { listIssues } from "servers/other";\nreturn (await listIssues({ repo: "a/b" })).items.length;';
  const drift = (answer: Answer): string[] => warningsOf(answer, 'WARN_SCHEMA_DRIFT').map(({ message }) => message);

  test('say nothing to programs at first, nor when only words have changed', async () => {
    for (const code of [uses, bare, others]) expect(drift(await ampoule.execute(code))).toEqual([]);
    await stage(ampoule, 1, (text) => text.includes('in other words'));
    for (const code of [uses, bare, others]) expect(drift(await ampoule.execute(code))).toEqual([]);
  });

  test.each(LANES.slice(0, 1))('are told once to the program that uses them, however it calls the tool, %s', async (lane) => {
    await stage(ampoule, 2, (text) => text.includes('state?: string'));
    const client = await ampoule.connect(lane);
    const answer = answerOf(await client.call({ code: uses }));
    const told =
      'drifting.list_issues changed since this program was last checked: argument "state" was added; result."total" is now string, it was number.';
    expect(answer.output).toMatchObject({ status: 'completed', result: 'a' });
    expect(drift(answer)).toEqual([told]);
    expect(drift(await ampoule.execute(bare))).toEqual([told]);
    expect(drift(await ampoule.execute(others))).toEqual([]);
    expect(drift(await ampoule.execute(uses))).toEqual([]);
    expect(drift(await ampoule.execute(bare))).toEqual([]);
  });

  test.each(LANES)('are in hint and findings of a check that now fails, %s', async (lane) => {
    await stage(ampoule, 3, (text) => text.includes('owner: string'));
    const client = await ampoule.connect(lane);
    const { output } = answerOf(await client.call({ code: uses }));
    expect(output.error?.code).toBe('ERR_CHECK_TYPES');
    expect(output.calls).toEqual([]);
    expect(output.error?.hint).toContain(
      'argument "state" is gone; argument "limit" is now string, it was number; argument "owner" was added and is required',
    );
    expect(output.error?.diagnostics?.map(({ code, tsCode }) => code ?? tsCode)).toEqual([expect.any(Number), 'WARN_SCHEMA_DRIFT']);
  });

  test('a tool that is gone is named', async () => {
    await stage(ampoule, 4, (text) => text === '');
    const { output } = await ampoule.execute(uses);
    expect(output.error?.hint).toContain('drifting.list_issues changed since this program was last checked: the tool is gone.');
    const dynamic = await ampoule.execute(bare);
    expect(dynamic.output.error?.code).toBe('ERR_EXECUTE_THROWN');
    expect(drift(dynamic)[0]).toContain('the tool is gone');
  });
});

const SECRET = 'SECRET-hunter2';
const ANSWER = {
  items: [{ title: SECRET, id: 7, labels: [SECRET], author: { login: SECRET } }],
  by_email: { 'SECRET.person@example.com': { count: 1 }, 'other@example.com': { count: 2 } },
  by_day: { '2026-01-01': 1, '2026-01-02': 2 },
  tokens: { 'sk-SECRET-1234567890abcdef': true },
  people: { SECRETalice: { age: 1 }, SECRETbob: { age: 2 }, SECRETcarol: { age: 3 } },
};
const ASK =
  'import { undeclared, words } from "servers/drifting"; await words({}); const r: any = await undeclared({ answer: input }); return r.items[0].id;';
const USE_LEARNED =
  'import { undeclared } from "servers/drifting"; const { items } = await undeclared({ answer: input }); return items.map((item) => item.labels.length + item.id);';
const CAST =
  'import { undeclared } from "servers/drifting"; const r = await undeclared({ answer: input }); return (r as { items: { id: string }[] }).items.length;';

async function wrapperOf(directory: string, name: string): Promise<string> {
  return readFile(join(directory, 'generated', 'drifting', `${name}.ts`), 'utf8');
}

describe('results that nobody declares', () => {
  test('are learned, without any value, and stay known over a restart; then forgotten when the operator wants it', async () => {
    await using folder = await temporary();
    const first = await startAmpoule({ ...CONFIG, log: { level: 'debug', format: 'json' } }, { directory: folder.path });
    expect((await first.execute(USE_LEARNED, { input: ANSWER })).output.error?.code).toBe('ERR_CHECK_TYPES');
    expect(await first.result(CAST, { input: ANSWER })).toBe(1);
    expect(await first.result(ASK, { input: ANSWER })).toBe(7);
    // Of two tools of which something is learned the second may come as much as ten seconds later.
    let text = '';
    await until(
      'the wrappers are there',
      async () => {
        text = await wrapperOf(folder.path, 'undeclared');
        return (
          text.includes('Learned from answers') && (await wrapperOf(folder.path, 'words')).includes('export type WordsOutput = string;')
        );
      },
      40_000,
    );
    // The set in memory is taken over right after it was written.
    const learned = { input: ANSWER };
    await until('programs are checked with them', async () => (await first.execute(USE_LEARNED, learned)).output.status === 'completed');
    expect(await first.result(USE_LEARNED, { input: ANSWER })).toEqual([8]);
    expect(await first.result(CAST, { input: ANSWER })).toBe(1);
    // The check is a new one, the program is the same.
    expect((await first.execute(ASK, { input: ANSWER })).output).toMatchObject({ usage: { cache: 'hit' } });
    expect(text).toContain('/** Learned from answers, not declared by the server. */\nexport interface UndeclaredOutput {');
    await first.stop();
    await nothingSecret(folder.path, [text, first.stderr]);

    const second = await startAmpoule(CONFIG, { directory: folder.path });
    expect(await second.result(USE_LEARNED, { input: ANSWER })).toEqual([8]);
    await second.stop();

    const third = await startAmpoule({ ...CONFIG, types: { learn: false } }, { directory: folder.path });
    expect((await third.execute(USE_LEARNED, { input: ANSWER })).output.error?.code).toBe('ERR_CHECK_TYPES');
    await third.stop();
    await expect(readFile(join(folder.path, 'cache', 'learned.db'))).rejects.toThrow('ENOENT');
  });

  test('a damaged file is replaced, and the start does not fail', async () => {
    await using folder = await temporary();
    await mkdir(join(folder.path, 'cache'));
    for (const name of ['learned.db', 'drift.db']) await writeFile(join(folder.path, 'cache', name), 'no database '.repeat(500));
    const ampoule = await startAmpoule(CONFIG, { directory: folder.path });
    expect(ampoule.stderr).toContain('A file in the cache folder cannot be used');
    expect(await ampoule.result(ASK, { input: ANSWER })).toBe(7);
    await ampoule.stop();
  });
});

/** In the store, the wrappers, the logs: none of the values and none of the keys that are data. */
async function nothingSecret(directory: string, texts: string[]): Promise<void> {
  const db = new DatabaseSync(join(directory, 'cache', 'learned.db'), { readOnly: true });
  const rows = JSON.stringify(db.prepare('SELECT * FROM learned').all());
  db.close();
  expect(rows).toContain('undeclared');
  const files = await Promise.all(['learned.db', 'drift.db'].map((name) => readFile(join(directory, 'cache', name), 'latin1')));
  const all = [...texts, rows, ...files].join('\n');
  for (const part of ['SECRET', 'hunter2', 'example.com', '2026-01-01', 'sk-']) expect(all).not.toContain(part);
}
