import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
const lines = (code: string, limits: Record<string, number> = {}): string[] => {
  const { ending, logs } = runProgram(engine, code, { limits });
  expect(ending).toEqual({ status: 'completed' });
  return logs.map((line) => line.message);
};

test.each([
  ['"text", 1, -0, 10n, true, null, undefined, Symbol("s")', 'text 1 -0 10n true null undefined Symbol(s)'],
  ['{ a: 1, "b c": "x", [Symbol("k")]: [1, , 3] }', "{ a: 1, 'b c': 'x', [Symbol(k)]: [ 1, <1 empty item>, 3 ] }"],
  ['new Map([["a", { b: 1 }]]), new Set([1, "x"])', "Map(1) { 'a' => { b: 1 } } Set(2) { 1, 'x' }"],
  [
    'new Date(0), /a\\/b/gi, new Uint8Array([1, 2]), new ArrayBuffer(8)',
    '1970-01-01T00:00:00.000Z /a\\/b/gi Uint8Array(2) [ 1, 2 ] ArrayBuffer { byteLength: 8 }',
  ],
  [
    'new (class Point { x = 1 })(), Object.create(null), new (class extends Array {})(), []',
    'Point { x: 1 } [Object: null prototype] {} [] []',
  ],
  ['function named() {}, () => 1, class A {}', '[Function: named] [Function (anonymous)] [class A]'],
  ['new String("s"), new Number(1), Promise.resolve(1), new WeakMap()', "[String: 's'] [Number: 1] Promise {} WeakMap { <items unknown> }"],
  ['{ get a() { throw 1 }, set b(x) {}, get c() { return 1 }, set c(x) {} }', '{ a: [Getter], b: [Setter], c: [Getter/Setter] }'],
  ['"%s is %d and %i, %f %j %% %c!", "a", 1.5, 1.9, "2.5", { x: 1 }, "css", "rest"', 'a is 1.5 and 1, 2.5 { x: 1 } % ! rest'],
  ['"100%", 5', '100% 5'],
  ['"it\'s", ["it\'s", \'say "x"\']', 'it\'s [ "it\'s", \'say "x"\' ]'],
  ['(() => { const a = { n: 1 }; a.self = a; return a })()', '{ n: 1, self: [Circular] }'],
  ['{ a: { b: { c: { d: { e: { f: 1 } } } } } }', '{ a: { b: { c: { d: { e: [Object] } } } } }'],
])('console.log(%s)', (args, text) => {
  expect(lines(`console.log(${args})`)).toEqual([text]);
});

test('what is long is put on lines of its own', () => {
  expect(lines('console.log({ first: "x".repeat(40), second: "y".repeat(40) })')).toEqual([
    `{\n  first: '${'x'.repeat(40)}',\n  second: '${'y'.repeat(40)}'\n}`,
  ]);
});

test('an error shows its frames, its own members and no path', () => {
  const [line = ''] = lines('console.log(Object.assign(new TypeError("bad"), { code: 5 }))');
  expect(line).toMatch(/^TypeError: bad\n {4}at program\.js:2:/);
  expect(line).toContain('{ code: 5 }');
  expect(line).not.toMatch(/source\.js|\/tmp/);
});

test('arrays, strings and the whole line are bounded', () => {
  expect(lines('console.log(Array.from({ length: 1000 }, (_, i) => i))')[0]).toContain('... 900 more items');
  expect(lines('console.log(["x".repeat(20000)])')[0]).toContain('... 10000 more characters');
  expect(lines('console.log("x".repeat(1e6))', { maxLogBytes: 1000 })[0]?.length).toBe(1001);
  expect(lines('let v = [1]; for (let i = 0; i < 30; i++) v = [v, v, v]; console.log(v)')[0]?.length).toBeLessThan(70_000);
});

test('proxies, getters and coercions that throw cannot break it', () => {
  const code = `const handler = new Proxy({}, { get() { throw new Error('trap') } }); const revoked = Proxy.revocable({}, {}); revoked.revoke();
    console.log(new Proxy({}, handler), revoked.proxy, new Proxy(function f() {}, handler)); console.log('%s %d', new Proxy({}, handler), { valueOf() { throw 1 } });
    console.table(new Proxy({}, handler)); console.dir(new Proxy([], handler)); console.count({ toString() { throw 1 } }); console.log(Object.create(new Proxy({}, handler)))`;
  expect(lines(code).length).toBe(6);
});

test('levels follow the method', () => {
  const code =
    'console.debug(1); console.log(2); console.info(3); console.warn(4); console.error(5); console.assert(true, 6); console.assert(false, "no %s", 7); console.assert(0)';
  expect(runProgram(engine, code).logs).toEqual([
    { level: 'debug', message: '1' },
    { level: 'info', message: '2' },
    { level: 'info', message: '3' },
    { level: 'warn', message: '4' },
    { level: 'error', message: '5' },
    { level: 'error', message: 'Assertion failed: no 7' },
    { level: 'error', message: 'Assertion failed' },
  ]);
});

test('group, count and time keep their state', () => {
  const code = `console.group('g'); console.log('in\\nside'); console.group(); console.log('deep'); console.groupEnd(); console.groupEnd(); console.groupEnd(); console.log('out');
    console.count(); console.count(); console.count('x'); console.countReset(); console.count();
    console.time('t'); await ampoule.sleep(250); console.timeLog('t', 'mid'); console.timeEnd('t'); console.timeEnd('t')`;
  expect(lines(code)).toEqual([
    'g',
    '  in\n  side',
    '    deep',
    'out',
    'default: 1',
    'default: 2',
    'x: 1',
    'default: 1',
    't: 250ms mid',
    't: 250ms',
    "No such label 't' for console.time",
  ]);
});

test('table draws rows, trace shows where', () => {
  const [table, plain, trace, frames] = lines('console.table([{ a: 1, b: "x" }, { a: 2 }]); console.table(5);\nconsole.trace("here")');
  expect(table).toBe("| (index) | a | b   |\n|---------|---|-----|\n| 0       | 1 | 'x' |\n| 1       | 2 |     |");
  expect([plain, trace]).toEqual(['5', 'Trace: here']);
  expect(frames).toContain('program.js:3:');
});
