import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody, type RunOptions } from '../support/executor.ts';
import { expectNothingLeaked } from './hostile.ts';
import { sampled } from './sampled.ts';

/** The four host functions, called in every way that they are not meant to be called. */
const SECRET = 'the secret outside of the mount';
let folder: string;
let executor: SupervisedExecutor;
let pid: number | undefined;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-escape-')));
  const notes = join(folder, 'notes');
  await mkdir(join(notes, 'sub'), { recursive: true });
  await mkdir(join(folder, 'outside'));
  await writeFile(join(folder, 'outside', 'secret.txt'), SECRET);
  await writeFile(join(folder, 'notes-secret.txt'), SECRET);
  await writeFile(join(notes, 'a.txt'), 'content');
  await writeFile(join(notes, 'é.txt'), 'composed');
  await writeFile(join(notes, 'swap'), 'inside');
  await symlink('../outside/secret.txt', join(notes, 'link'));
  await symlink('../outside', join(notes, 'folder'));
  await symlink('/proc/self/environ', join(notes, 'environ'));
  await symlink('/dev/zero', join(notes, 'zero'));
  await symlink('loop', join(notes, 'loop'));
  await symlink('a.txt', join(notes, 'inside'));
  execFileSync('mkfifo', [join(notes, 'pipe')]);
  executor = await openTestExecutor({ mounts: { notes } });
  ({ pid } = executor);
});

afterAll(async () => {
  await executor.close();
  await rm(folder, { recursive: true, force: true });
});

const LIMITS = { limits: { fuel: 4_000_000_000, timeoutMs: 10_000, waitMs: 1_000 } };

/** The value of a body that has to complete. Nothing may have leaked, and the next run works. */
async function valueOf(body: string, options: RunOptions = LIMITS): Promise<unknown> {
  const outcome = await runBody(executor, body, options);
  expect(JSON.stringify(outcome)).not.toContain(SECRET);
  expectNothingLeaked(outcome);
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(executor.pid).toBe(pid);
  return resultOf(outcome);
}

const read = (paths: readonly string[]): string =>
  `const all = []; for (const path of ${JSON.stringify(paths)}) all.push(await ampoule.readFile(path).then((x) => "read " + x, (e) => e.code)); return all`;

test.each(
  sampled([
    [
      'up and out',
      ['notes/../outside/secret.txt', '../notes-secret.txt', 'notes/..', 'notes/sub/../../outside/secret.txt'],
      'ERR_FILE_PATH',
    ],
    ['absolute paths', ['/etc/passwd', '//etc/passwd', 'notes//etc/passwd', '/proc/self/environ'], 'ERR_FILE_PATH'],
    ['paths of other systems', ['notes\\..\\a.txt', 'C:\\x', 'notes/a.txt:stream', 'file:///etc/passwd'], 'ERR_FILE_PATH'],
    ['percent-encoding', ['notes/%2e%2e/outside/secret.txt', 'notes%2fa.txt', 'notes/a%00.txt'], 'ERR_FILE_PATH'],
    ['control characters', ['notes/a.txt\0', 'notes/a.txt\n', 'notes/\u001b[2J', 'notes/\u007f'], 'ERR_FILE_PATH'],
    ['half of a pair and what UTF-8 has no room for', ['notes/\ud800', '\udfff/a.txt'], ['ERR_FILE_PATH', 'ERR_FILE_NOT_FOUND']],
    [
      'names that only look alike',
      ['notes/e\u0301.txt', 'notes/．．/a.txt', 'ｎotes/a.txt', 'notes/․․/a.txt'],
      ['ERR_FILE_PATH', 'ERR_FILE_NOT_FOUND'],
    ],
    ['another case', ['NOTES/a.txt', 'notes/A.TXT', 'Notes/a.txt'], 'ERR_FILE_NOT_FOUND'],
    ['dots and spaces at the end', ['notes/a.txt.', 'notes/a.txt ', 'notes/.../a.txt', 'notes./a.txt'], 'ERR_FILE_NOT_FOUND'],
    ['names of every object', ['constructor/a', '__proto__/a', 'toString/x', 'hasOwnProperty/x'], 'ERR_FILE_NOT_FOUND'],
    [
      'the folders of results and skills',
      ['results/x', 'skills/x', 'ampoule://results/x', 'results/../notes/a.txt'],
      ['ERR_FILE_NOT_FOUND', 'ERR_RESULT_UNKNOWN', 'ERR_FILE_PATH'],
    ],
    ['links that lead out', ['notes/link', 'notes/folder/secret.txt', 'notes/environ'], 'ERR_FILE_DENIED'],
    ['devices, pipes, folders and circles', ['notes/zero', 'notes/pipe', 'notes/sub', 'notes/loop'], 'ERR_FILE_DENIED'],
    [
      'very long paths',
      [`notes/${'a'.repeat(1_000)}`, `notes/${'a/'.repeat(5_000)}`, 'x'.repeat(50_000)],
      ['ERR_FILE_PATH', 'ERR_FILE_NOT_FOUND'],
    ],
  ]),
)('readFile of %s gives nothing', async (_what, paths, expected) => {
  const outcome = await runBody(executor, read(paths), LIMITS);
  for (const code of resultOf(outcome) as string[]) expect([expected].flat()).toContain(code);
  expectNothingLeaked(outcome);
  expect(JSON.stringify(outcome)).not.toContain(SECRET);
});

test('readFile gives what is in the mount, links within it too', async () => {
  expect(await valueOf(read(['notes/a.txt', 'notes/inside', 'notes/é.txt']))).toEqual(['read content', 'read content', 'read composed']);
});

test('a link that is swapped all the time never leads out', async () => {
  const target = join(folder, 'notes', 'swap');
  const over = { now: false };
  const swapping = (async () => {
    for (let i = 0; !over.now; i++) {
      const next = join(folder, `next-${i % 2}`);
      if (i % 2 === 0) await symlink(join(folder, 'outside', 'secret.txt'), next);
      else await writeFile(next, 'inside');
      await rename(next, target);
    }
  })();
  const body = `const all = new Set(); for (let i = 0; i < 400; i++) { all.add(await ampoule.readFile("notes/swap").catch((e) => e.code)); if (i % 20 === 0) await ampoule.sleep(1) } return [...all].sort()`;
  const runs = await Promise.all([1, 2, 3].map((i) => runBody(executor, `${body} // ${i}`, LIMITS)));
  over.now = true;
  await swapping;
  for (const outcome of runs) {
    for (const said of resultOf(outcome) as string[]) expect(['inside', 'ERR_FILE_DENIED', 'ERR_FILE_NOT_FOUND']).toContain(said);
  }
});

test.each(
  sampled([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['an object that names a file', '{ toString() { return "notes/a.txt" } }'],
    ['a text in a box', 'new String("notes/a.txt")'],
    ['a proxy', 'new Proxy({}, { get() { throw new Error("p") } })'],
    ['a symbol', 'Symbol("notes/a.txt")'],
    ['options that throw', '"notes/a.txt", { get as() { throw new TypeError("o") } }'],
    ['an unknown form', '"notes/a.txt", { as: "stream" }'],
  ]),
)('readFile of %s is refused and can be caught', async (_what, args) => {
  expect(await valueOf(`try { await ampoule.readFile(${args}); return "read" } catch (e) { return e instanceof TypeError }`)).toBe(true);
});

test.each(
  sampled([
    ['nothing', ''],
    ['one name', '"s"'],
    ['numbers', '1, 2, 3'],
    ['empty names', '"", ""'],
    ['objects as names', '{}, []'],
    ['names with toString', '{ toString: () => "s" }, { toString: () => "t" }'],
    ['symbols', 'Symbol.iterator, Symbol("t")'],
    ['a name of 257 characters', '"s".repeat(257), "t"'],
    ['a list as arguments', '"s", "t", []'],
    ['a text as arguments', '"s", "t", "x"'],
    ['a cycle', '"s", "t", (() => { const a = {}; a.a = a; return a })()'],
    ['a getter that throws', '"s", "t", { get x() { throw new Error("g") } }'],
    ['a toJSON that makes a list', '"s", "t", { toJSON: () => [] }'],
    ['a function in them', '"s", "t", { f() {} }'],
    ['a proxy that throws', '"s", "t", new Proxy({}, { ownKeys() { throw new Error("p") } })'],
    ['two megabytes', '"s", "t", { x: "x".repeat(2e6) }'],
    ['more than a megabyte of UTF-8', '"s", "t", { x: "é".repeat(6e5) }'],
    ['nesting of 300', '"s", "t", (() => { let a = {}; for (let i = 0; i < 300; i++) a = { a }; return a })()'],
  ]),
)('callTool with %s is refused and can be caught', async (_what, args) => {
  expect(await valueOf(`return ampoule.callTool(${args}).then(() => "called", (e) => e.code)`)).toBe('ERR_CALL_ARGUMENTS');
});

test('callTool takes any names that are texts, and more arguments than it has', async () => {
  const names = ['constructor', '__proto__', 'toString', 'then', '..', '\u202e', '\0', 'é'.repeat(256), '"}'];
  const seen: string[][] = [];
  const onCall = ({ server, tool }: ToolCall): Promise<ToolAnswer> => {
    seen.push([server, tool]);
    return Promise.resolve({ ok: true, value: '1' });
  };
  expect(
    await valueOf(`for (const n of ${JSON.stringify(names)}) await ampoule.callTool(n, n, {}, n, n); return 1`, { ...LIMITS, onCall }),
  ).toBe(1);
  expect(seen).toEqual(names.map((name) => [name, name]));
});

test.each(
  sampled([
    ['no JSON', 'x'],
    ['half of one', '{"a":'],
    ['two', '1}{"ok":2'],
    ['a member named error', '1,"error":{"code":"ERR_INTERNAL","message":"m"}'],
    ['nesting', '['.repeat(50_000)],
    ['a prototype', '{"__proto__":{"then":1}}'],
  ]),
)('an answer of %s settles the call and nothing else', async (_what, value) => {
  const onCall = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value });
  expect(await valueOf('return ampoule.callTool("s", "t").then(() => 1, () => 1)', { ...LIMITS, onCall })).toBe(1);
});

test.each(
  sampled([
    [
      'a getter of arguments',
      'return ampoule.callTool("s", "t", { get x() { ampoule.callTool("s", "inner", { y: 1 }); return 2 } })',
      { x: 2 },
    ],
    [
      'a toJSON of arguments',
      'return ampoule.callTool("s", "t", { toJSON() { ampoule.callTool("s", "inner"); return { x: 2 } } })',
      { x: 2 },
    ],
    ['a getter of the result', 'return { get x() { ampoule.log("info", "inside"); ampoule.setState("a", 1); return 3 } }', { x: 3 }],
    ['a toJSON of the result', 'return { toJSON() { ampoule.getState().b = 1; return { x: 4 } } }', { x: 4 }],
    ['a result that writes a result', 'return { get x() { return JSON.stringify({ get y() { return 5 } }) } }', { x: '{"y":5}' }],
    [
      'a getter of the state',
      'Object.defineProperty(ampoule.getState(), "s", { enumerable: true, get() { console.log("s"); return 1 } }); return { x: 6 }',
      { x: 6 },
    ],
    ['a thenable', 'return { then(r) { ampoule.callTool("s", "t", { x: 7 }).then(r) } }', { x: 7 }],
    ['an inspected object', 'console.log({ get x() { console.log("again"); return 1 } }); return { x: 8 }', { x: 8 }],
    ['a timer', 'return new Promise((r) => setTimeout(() => r(ampoule.callTool("s", "t", { x: 9 })), 1))', { x: 9 }],
    [
      'an error that is told',
      'try { throw { get message() { ampoule.log("info", "m"); return "m" } } } catch { return { x: 10 } }',
      { x: 10 },
    ],
  ]),
)('host functions called from %s keep their order', async (_what, body, value) => {
  expect(await valueOf(body)).toEqual(value);
});

test('what is called after the end of the run is not heard', async () => {
  const seen: string[] = [];
  const onCall = ({ tool }: ToolCall): Promise<ToolAnswer> => {
    seen.push(tool);
    return Promise.resolve({ ok: true, value: '1' });
  };
  const late =
    'setTimeout(() => ampoule.callTool("s", "late"), 1); Promise.resolve().then(() => 0).then(() => ampoule.callTool("s", "soon")); return 1';
  expect(resultOf(await runBody(executor, late, { ...LIMITS, onCall }))).toBe(1);
  await runBody(executor, 'await ampoule.sleep(20)', LIMITS);
  expect(seen).not.toContain('late');
});

test('a program that has ended keeps its end, whatever its getters, timers and rejections still do', async () => {
  const body =
    'queueMicrotask(() => { throw new Error("late") }); setTimeout(() => { throw new Error("later") }); Promise.reject(new Error("never")); return { get x() { return 1 } }';
  const outcome = await runBody(executor, body, LIMITS);
  expect(['completed', 'ERR_EXECUTE_THROWN']).toContain(codeOf(outcome));
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
});

test('a run that is cancelled inside of one huge call ends at once', async () => {
  const controller = new AbortController();
  const running = runBody(executor, 'const a = new Uint8Array(6e7); for (;;) a.slice()', {
    limits: { fuel: 1e15 },
    signal: controller.signal,
  });
  await new Promise((resolve) => void setTimeout(resolve, 150));
  const from = performance.now();
  controller.abort();
  expect(codeOf(await running)).toBe('ERR_EXECUTE_CANCELLED');
  expect(performance.now() - from).toBeLessThan(3_000);
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(executor.pid).toBe(pid);
});
