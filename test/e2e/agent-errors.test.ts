import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture, startAmpoule, type Ampoule } from './harness.ts';

const LIMITS = { maxLogBytes: 2_000, maxKeptLogBytes: 4_000, maxKeptResultBytes: 2_000_000 };
let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule({ check: 'off', mcpServers: { answers: fixture('answers') }, limits: LIMITS })));
// Whatever a program did: the server is still the same, and still answers.
afterAll(async () => {
  // oxlint-disable-next-line vitest/no-standalone-expect -- it holds for the tests above as a whole
  expect(await ampoule.result('return 2 + 2;')).toBe(4);
  await ampoule.stop();
});

async function failure(code: string, args: Record<string, unknown> = {}) {
  const { output, text, isError } = await ampoule.execute(code, args);
  expect({ status: output.status, isError, result: output.result }).toEqual({ status: 'failed', isError: true });
  const error = output.error!;
  expect(text).toContain(error.code);
  expect(error.hint).toBeTypeOf('string');
  return { ...error, calls: output.calls, logs: output.logs, text };
}

const MULTI_LINE_IMPORTS = `import {
  echo as say,
  text,
} from "servers/answers";
import {
  // a comment in the list
  log,
  getState,
} from "ampoule";
`;

describe('a syntax error', () => {
  test.each([
    ['alone', 'const a = 1;\nconst b = ;\nreturn a;', { line: 2, column: 11, source: 'const b = ;' }],
    [
      'after imports over several lines',
      `${MULTI_LINE_IMPORTS}const a = 1;\n  return a +* 2;`,
      { line: 11, column: 13, source: '  return a +* 2;' },
    ],
    ['in a type', 'const a: number[ = 1;', { line: 1, column: 18, source: 'const a: number[ = 1;' }],
  ])('%s is told with its place, and nothing runs', async (_name, code, location) => {
    const error = await failure(code);
    expect(error).toMatchObject({ code: 'ERR_BUNDLE_SYNTAX', calls: [] });
    expect(error.location).toEqual(location);
  });

  test('in a block without an end is told, not run', async () => {
    expect(await failure('if (input) { return 1;')).toMatchObject({ code: 'ERR_BUNDLE_SYNTAX', calls: [] });
  });
});

describe('an import', () => {
  test.each([
    ['fs'],
    ['node:fs/promises'],
    ['./x'],
    ['../../etc/passwd'],
    ['/etc/passwd'],
    ['https://example.com/x.js'],
    ['data:text/javascript,export default 1'],
    ['file:///etc/passwd'],
    ['lodash'],
    ['servers/absent'],
    ['servers/../ampoule'],
    ['ampoule/main'],
  ])('of "%s" is refused at its place', async (specifier) => {
    const error = await failure(`const first = 1;\nimport * as x from ${JSON.stringify(specifier)};\nreturn x;`);
    expect(error).toMatchObject({ code: 'ERR_BUNDLE_IMPORT', location: { line: 2 } });
    expect(error.location?.source).toContain(specifier);
  });

  test('of a function that a server does not have names the nearest that it has', async () => {
    const error = await failure('import { ecko } from "servers/answers"; return ecko({});');
    expect(error.code).toMatch(/^ERR_BUNDLE_/);
    expect(JSON.stringify(error)).toContain('echo');
    expect(error.location).toMatchObject({ line: 1 });
  });

  test('of a server with a near name is suggested', async () => {
    expect(JSON.stringify(await failure('import { echo } from "servers/answer"; return echo({});'))).toContain('servers/answers');
  });

  test('at run time, by import(), is refused too', async () => {
    const error = await failure('const name = "f" + "s"; return await import(name);');
    expect(error.code).toMatch(/^ERR_(BUNDLE_IMPORT|EXECUTE_THROWN)$/);
  });

  test('return and export default together are refused', async () => {
    expect(await failure('export default 1;\nreturn 2;')).toMatchObject({ code: 'ERR_BUNDLE_FORM' });
  });
});

describe('a thrown error', () => {
  test.each([
    ['at top level', 'const a = 1;\n  throw new Error("here");', { line: 2, column: 9, source: '  throw new Error("here");' }],
    [
      'inside nested functions',
      'interface Deep { n: number }\nfunction outer(d: Deep) {\n  const inner = (n: number): never => {\n    throw new TypeError(`n is ${n}`);\n  };\n  return inner(d.n);\n}\nreturn outer({ n: 7 });',
      { line: 4, column: 11, source: '    throw new TypeError(`n is ${n}`);' },
    ],
    [
      'after imports over several lines, types and an await',
      `${MULTI_LINE_IMPORTS}type Unused = { a: string };\nconst got = await say({ a: 1 });\n\nasync function later() {\n  await text();\n  log("info", "x", getState());\n  const deep = (got as any).missing.deeper;\n  return deep;\n}\nreturn await later();`,
      { line: 16, column: 17, source: '  const deep = (got as any).missing.deeper;' },
    ],
    [
      'of the engine itself',
      'const list = [1];\nlist.map((n) => undefinedName + n);',
      { line: 2, column: 17, source: 'list.map((n) => undefinedName + n);' },
    ],
  ])('%s is told with its place in the source as it was sent', async (_name, code, location) => {
    const error = await failure(code);
    expect(error.code).toBe('ERR_EXECUTE_THROWN');
    expect(error.location).toEqual(location);
  });

  test('shows the frames of the caller as well', async () => {
    const { stack } = await failure('function a() {\n  throw new Error("x");\n}\nfunction b() {\n  a();\n}\nb();');
    expect(stack?.map(({ line }) => line)).toEqual([2, 5, 7]);
  });

  test.each([
    ['a string', 'throw "just text";', 'just text'],
    ['null', 'throw null;', 'null'],
    ['undefined', 'throw undefined;', 'undefined'],
    ['a number', 'throw 42;', '42'],
    ['a symbol', 'throw Symbol("s");', 'Symbol(s)'],
    ['an object', 'throw { any: "thing" };', ''],
    ['a function', 'throw () => 1;', 'function'],
    ['a bigint', 'throw 5n;', '5'],
    [
      'an error with a getter that throws',
      'const e = new Error("m"); Object.defineProperty(e, "message", { get() { throw 1; } }); throw e;',
      '',
    ],
    ['a proxy that throws at everything', 'throw new Proxy({}, new Proxy({}, { get() { throw 1; } }));', ''],
    ['an error of 10 MB', 'throw new Error("x".repeat(10_000_000));', 'xxx'],
    ['an error with a false stack', 'const e = new Error("m"); e.stack = "at /etc/passwd:1:1"; throw e;', 'm'],
    ['an error with a cycle as its cause', 'const e = new Error("m"); e.cause = e; throw e;', 'm'],
    ['a rejected promise', 'await Promise.reject(new Error("rejected"));', 'rejected'],
    ['an error in a function that is the export', 'export default () => { throw new Error("called"); };', 'called'],
  ])('can be %s', async (_name, code, part) => {
    const error = await failure(code);
    expect(error.code).toBe('ERR_EXECUTE_THROWN');
    expect(error.message).toContain(part);
    expect(error.message.length).toBeLessThan(20_000);
    expect(`${error.message} ${error.hint}`).not.toContain('/etc/passwd');
  });

  test('of what a sandbox does not have says what to use', async () => {
    const fetching = await failure('return await fetch("https://example.com");');
    expect(fetching.code).toBe('ERR_EXECUTE_THROWN');
    expect(`${fetching.message} ${fetching.hint}`).toMatch(/servers|callTool/);
    expect((await failure('return process.env;')).hint).not.toBe('');
    expect((await failure('return require("fs");')).code).toMatch(/^ERR_(EXECUTE_THROWN|BUNDLE_)/);
  });
});

describe('a result that JSON cannot say', () => {
  test.each([
    ['a cycle', 'const a: any = {}; a.self = a; return a;'],
    ['a BigInt', 'return { n: 1n };'],
    ['a function', 'return { f: () => 1 };'],
    ['a symbol', 'return Symbol("s");'],
    ['a toJSON that throws', 'return { toJSON() { throw new Error("no"); } };'],
  ])('%s is told by its path or kind', async (_name, code) => {
    const error = await failure(code);
    expect(error.code).toMatch(/^ERR_EXECUTE_(RESULT_INVALID|THROWN)$/);
    expect(error.hint).toBeTypeOf('string');
  });

  test('and one that is too large say so', async () => {
    expect(await failure('return "x".repeat(2_000_000);')).toMatchObject({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE' });
    expect(await failure('import { setState } from "ampoule"; setState("x", "y".repeat(2_000_000)); return 1;')).toMatchObject({
      code: 'ERR_EXECUTE_RESULT_TOO_LARGE',
    });
  });

  test('keys like __proto__ and lone surrogates come through as data', async () => {
    const result = await ampoule.result(
      'return { ["__proto__"]: 1, constructor: "c", lone: "\\ud800", list: [undefined, NaN, new Date(0)] };',
    );
    expect(Object.keys(result as object)).toEqual(['__proto__', 'constructor', 'lone', 'list']);
  });
});

describe('code that will not end', () => {
  const FUEL = { fuel: 400_000_000 };
  test.each([
    ['a loop', 'for (;;);', FUEL, 'ERR_EXECUTE_FUEL'],
    ['a loop of microtasks', 'const again = (): Promise<void> => Promise.resolve().then(again); await again();', FUEL, /FUEL|MEMORY/],
    ['a regular expression', 'return /^(a+)+$/.test("a".repeat(40) + "b");', FUEL, /FUEL|THROWN|STACK/],
    ['a loop that swallows errors', 'for (;;) { try { throw 1; } catch {} }', FUEL, 'ERR_EXECUTE_FUEL'],
    ['allocation', 'const all: unknown[] = []; for (;;) all.push(new Array(10_000).fill(all.length));', {}, 'ERR_EXECUTE_MEMORY'],
    ['a string that doubles', 'let s = "x".repeat(1000); for (;;) s += s + s.toUpperCase();', {}, /MEMORY|THROWN/],
    ['recursion', 'const f = (n: number): number => 1 + f(n + 1); return f(0);', {}, 'ERR_EXECUTE_STACK'],
    ['a promise that nobody settles', 'await new Promise(() => {});', {}, 'ERR_EXECUTE_NEVER_SETTLES'],
    ['a timer far away', 'await new Promise((r) => setTimeout(r, 3_600_000));', { waitMs: 200 }, 'ERR_EXECUTE_WAITING_TIME'],
    ['an interval that goes on', 'await new Promise(() => setInterval(() => {}, 1));', { waitMs: 300 }, /WAITING_TIME|FUEL|ACTIVE_TIME/],
    ['a tool that never answers', 'import { never } from "servers/answers"; await never();', { waitMs: 200 }, 'ERR_EXECUTE_WAITING_TIME'],
    [
      'a flood of tool calls',
      'import { text } from "servers/answers"; for (;;) await text();',
      { maxToolCalls: 20 },
      'ERR_EXECUTE_TOOL_CALLS',
    ],
    [
      'a flood of calls at once',
      'import { text } from "servers/answers"; await Promise.all(Array.from({ length: 5_000 }, () => text()));',
      {},
      'ERR_EXECUTE_TOOL_CALLS',
    ],
  ])('%s has an end with a code', async (_name, code, limits, expected) => {
    expect((await failure(code, { limits })).code).toMatch(expected);
    expect(await ampoule.result('return "still here";')).toBe('still here');
  });

  test('a flood of logs is cut and counted, and the run completes', async () => {
    const { output } = await ampoule.execute('for (let i = 0; i < 2_000; i++) console.log("line " + i); return "done";');
    expect(output).toMatchObject({ status: 'completed', result: 'done' });
    expect(output.droppedLogBytes).toBeGreaterThan(1_000);
    expect(JSON.stringify(output.logs).length).toBeLessThan(10_000);
  });

  test('control characters of a log are harmless', async () => {
    const { output, text } = await ampoule.execute('console.log("a\\u001b[2Jb\\u0000c\\r\\nd");');
    // What was a control character stands there as its escape.
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    for (const shown of [text, output.logs[0]?.message]) expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(output.logs[0]?.message).toBe('a\\u001b[2Jb\\u0000c\nd');
  });
});

describe('arguments of execute_code', () => {
  test.each([
    ['no code', { code: undefined }, '"code"'],
    ['empty code', { code: '' }, '"code"'],
    ['code that is a number', { code: 7 }, '"code"'],
    ['an unknown one', { codee: 'x' }, '"code"'],
    ['a limit that is text', { limits: { fuel: 'much' } }, '"limits.fuel"'],
    ['a limit below its least', { limits: { memoryMb: 1 } }, '"limits.memoryMb"'],
    ['too much code', { code: `// ${'x'.repeat(300_000)}` }, '"code"'],
    ['too much input', { input: 'x'.repeat(1_100_000) }, '"input"'],
  ])('with %s are refused by name', async (_name, args, named) => {
    const error = await failure('return 1;', args);
    expect(error.code).toBe('ERR_SERVER_INPUT');
    expect(error.message).toContain(named);
  });
});
