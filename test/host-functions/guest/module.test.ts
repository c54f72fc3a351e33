import { beforeAll, expect, inject, test } from 'vitest';
import { type Engine, type Run, type RunSetup, openEngine, runProgram } from '../harness.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
const run = (code: string, setup?: RunSetup): Run => runProgram(engine, code, setup);
const echo: RunSetup = { answer: (server, tool, args) => ({ ok: { server, tool, args: JSON.parse(args) as unknown } }) };

test('callTool sends its arguments and gives the answer', () => {
  const { result, calls } = run('return ampoule.callTool("files", "read", { path: "a", u: undefined })', echo);
  expect(result).toEqual({ server: 'files', tool: 'read', args: { path: 'a' } });
  expect(calls).toEqual([{ server: 'files', tool: 'read', args: '{"path":"a"}' }]);
});

test('calls of Promise.all are begun before the first is answered', () => {
  const { calls, result } = run('return Promise.all([1, 2, 3].map((n) => ampoule.callTool("s", "t", { n })))', echo);
  expect(calls).toHaveLength(3);
  expect((result as { args: { n: number } }[]).map((r) => r.args.n)).toEqual([1, 2, 3]);
});

test('a failed call rejects with a ToolError that has all of the answer', () => {
  const answer = (): unknown => ({
    error: { code: 'ERR_CALL_TOOL', message: 'disk full', hint: 'free some', content: [{ type: 'text', text: 'x' }] },
  });
  const code =
    'try { await ampoule.callTool("s", "t") } catch (e) { return [e instanceof ampoule.ToolError, e instanceof Error, { ...e }, e.name, e.message] }';
  const details = { code: 'ERR_CALL_TOOL', server: 's', tool: 't', hint: 'free some', content: [{ type: 'text', text: 'x' }] };
  expect(run(code, { answer }).result).toEqual([true, true, details, 'ToolError', 'disk full']);
  const { ending } = run('\nawait ampoule.callTool("s", "t")', { answer });
  expect(ending).toMatchObject({ name: 'ToolError [ERR_CALL_TOOL]', message: 'disk full', hint: 'free some', code: 'ERR_EXECUTE_THROWN' });
  expect(ending?.stack).toMatch(/^ {4}at program\.js:3:15/);
});

test.each([
  '[1]',
  '"text"',
  '5',
  'null',
  '{ f() {} }',
  '{ n: 1n }',
  'new Map()',
  '(() => { const a = {}; a.a = a; return a })()',
  '{ s: "x".repeat(200) }',
])('callTool refuses the arguments %s before anything is sent', (args) => {
  const code = `try { await ampoule.callTool("s", "t", ${args}) } catch (e) { return [e instanceof ampoule.ToolError, e.code] }`;
  const { result, calls } = run(code, { limits: { maxToolArgumentBytes: 100 } });
  expect(result).toEqual([true, 'ERR_CALL_ARGUMENTS']);
  expect(calls).toEqual([]);
});

test.each(['undefined, "t"', '"s"', '"", "t"', '"s", {}', '"s".repeat(257), "t"', 'new Proxy({}, {}), Symbol()'])(
  'callTool(%s) rejects and does not throw',
  (args) => {
    expect(run(`const p = ampoule.callTool(${args}); return p.catch((e) => e.code)`).result).toBe('ERR_CALL_ARGUMENTS');
  },
);

test('answers that lie about their form settle the call all the same', () => {
  expect(run('return ampoule.callTool("s", "t")', { answer: () => ({}) }).ending).toEqual({ status: 'completed' });
  expect(run('return ampoule.callTool("s", "t")', { answer: () => 5 }).ending?.status).toBeDefined();
  expect(run('return ampoule.callTool("s", "t").catch((e) => e.code)', { answer: () => ({ error: { message: 5 } }) }).result).toBe(
    'ERR_CALL_TOOL',
  );
});

test('readFile gives text or bytes of the program own realm', () => {
  const files = { 'docs/a.txt': 'hé' };
  const code =
    'const b = await ampoule.readFile("docs/a.txt", { as: "bytes" }); return [await ampoule.readFile("docs/a.txt"), b instanceof Uint8Array, [...b]]';
  expect(run(code, { files }).result).toEqual(['hé', true, [0x68, 0xc3, 0xa9]]);
});

test('readFile rejects with the code and the hint of the host, as an Error of the program own realm', () => {
  const code =
    'try { await ampoule.readFile("docs/b") } catch (e) { return [e instanceof Error, e.constructor === Error, e.code, e.hint, e.message, "payload" in e] }';
  expect(run(code).result).toEqual([true, true, 'ERR_FILE_NOT_FOUND', 'look again', 'no file docs/b', false]);
  expect(
    run('return Promise.all([ampoule.readFile(5), ampoule.readFile("a/b", { as: "hex" })].map((p) => p.catch((e) => e.name)))').result,
  ).toEqual(['TypeError', 'TypeError']);
});

test('log takes levels as words and never throws', () => {
  const code = `ampoule.log('warn', 'w', { a: 1 }); ampoule.log('shout', 'i'); ampoule.log(Symbol(), Symbol('m')); ampoule.log('error', { toString() { throw 1 } })`;
  expect(run(code).logs).toEqual([
    { level: 'warn', message: 'w { a: 1 }' },
    { level: 'info', message: 'i' },
    { level: 'info', message: 'Symbol(m)' },
    { level: 'error', message: expect.stringContaining('toString') },
  ]);
});

test('the module object cannot be changed', () => {
  const code = `"use strict"; const t = (f) => { try { f(); return 'changed' } catch { return 'kept' } };
    return [t(() => { ampoule.callTool = 1 }), t(() => { ampoule.callTool.x = 1 }), t(() => { ampoule.ToolError.prototype.x = 1 }), t(() => Object.setPrototypeOf(ampoule.ToolError, null))]`;
  expect(run(code).result).toEqual(['kept', 'kept', 'kept', 'kept']);
});

/** On QuickJS the bindings and JSON make arrays with assignments, so that indexes have a test of their own. */
const POISON = `
  const KIND = '${inject('engineKind')}';
  const evil = () => { throw new Error('poison') };
  const list = [Array, Object, String, Promise, Map, Set, WeakMap, RegExp, Date, Function, Error, Number, Symbol, Reflect.getPrototypeOf(Uint8Array), Uint8Array, TextDecoder, TextEncoder, DataView, ArrayBuffer, Boolean, BigInt];
  const kept = { defineProperty: Reflect.defineProperty, ownKeys: Reflect.ownKeys };
  const get = Reflect.getOwnPropertyDescriptor;
  const call = ampoule.callTool, sleep = ampoule.sleep, getState = ampoule.getState, readFile = ampoule.readFile, print = console.log, bare = Object.setPrototypeOf;
  for (let i = 0; i < list.length; i++) {
    const targets = [list[i].prototype, list[i]];
    for (let t = 0; t < 2; t++) {
      const keys = kept.ownKeys(targets[t]);
      for (let k = 0; k < keys.length; k++) {
        const d = get(targets[t], keys[k]);
        if (keys[k] === 'prototype' || keys[k] === 'constructor' || !d.configurable) continue;
        kept.defineProperty(targets[t], keys[k], { __proto__: null, configurable: true, get: evil, set: evil });
      }
    }
  }
  const indexes = KIND === 'quickjs' ? 0 : 10;
  for (let i = 0; i < indexes; i++) kept.defineProperty(Array.prototype, i, { __proto__: null, configurable: true, get: evil, set: evil });
  const names = ['ok', 'error', 'value', 'get', 'set', 'enumerable', 'writable', 'configurable', 'hint', 'status', 'running', 'now', 'seed', 'as'];
  for (let i = 0; i < names.length; i++) kept.defineProperty(Object.prototype, names[i], { __proto__: null, configurable: true, get: evil, set: evil });
`;

test('the runtime works after every intrinsic was replaced by one that throws', () => {
  const code = `${POISON}
    const answer = await call('s', 't'); getState().x = 1; print('%s', 'still here', 5); await sleep(5);
    const plain = bare({ a: answer, b: 2 }, null);
    return plain;`;
  const { ending, result, state, logs } = run(code, { answer: () => ({ ok: 'yes' }) });
  expect(ending).toEqual({ status: 'completed' });
  expect(result).toEqual({ a: 'yes', b: 2 });
  expect(state).toBe('{"x":1}');
  expect(logs).toEqual([{ level: 'info', message: 'still here 5' }]);
});

test('a failure is told after every intrinsic was replaced by one that throws', () => {
  expect(run(`${POISON} throw new TypeError('mine')`).ending).toMatchObject({ code: 'ERR_EXECUTE_THROWN', message: 'mine' });
});

test.runIf(inject('engineKind') === 'quickjs')(
  'a program that redefines the indexes of arrays ends in a coded way or traps, and no other way',
  () => {
    const code = `Object.defineProperty(Array.prototype, 0, { get() { throw 1 }, set() { throw 2 } });`;
    expect(run(`${code} throw new TypeError('mine')`).ending).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_THROWN' });
    expect(run(`${code} return 5`)).toMatchObject({ ending: { status: 'completed' }, result: 5 });
    expect(() => run(`${code} return await ampoule.callTool('s', 't')`, { answer: () => ({ ok: 1 }) })).toThrow(/cannot reach/);
  },
);

test.runIf(inject('engineKind') === 'quickjs')('the way of the bindings into the runtime is not listed and cannot be replaced', () => {
  const code = `"use strict"; const t = (f) => { try { return f() === false ? 'kept' : 'changed' } catch { return 'kept' } };
    const names = [...Object.keys(globalThis), ...Object.getOwnPropertyNames(globalThis), ...Reflect.ownKeys(globalThis), ...Object.keys(Object.getOwnPropertyDescriptors(globalThis))];
    const bridge = globalThis.__cqjs, calls = bridge.asyncExports;
    return [names.filter((name) => /cqjs|wit/.test(name)), Object.keys(bridge), Object.keys(calls), t(() => { globalThis.__cqjs = 1 }), t(() => delete globalThis.__cqjs),
      t(() => Reflect.defineProperty(globalThis, '__cqjs', { value: 1 })), t(() => { bridge.asyncExports = 1 }), t(() => { calls.start = 1 }), t(() => { calls.start.x = 1 }),
      t(() => { String.prototype.concat = 1 }), typeof wit]`;
  const kept = Array.from({ length: 7 }, () => 'kept');
  expect(run(code).result).toEqual([[], ['asyncExports'], ['start', 'resume'], ...kept, 'undefined']);
});

test('a then on Object.prototype gets no hold of what the runtime gives to the host', () => {
  const code =
    'const seen = []; Object.prototype.then = function (resolve) { seen.push(1); delete Object.prototype.then; resolve("taken") }; await ampoule.sleep(1); return seen.length';
  expect(run(code).ending?.status).toBe('completed');
});

test('nothing of the bindings realm is in reach', () => {
  const code = `const reach = [ampoule.callTool, ampoule.readFile, ampoule.log, ampoule.getState, ampoule.getState(), await ampoule.readFile('a/b', { as: 'bytes' }), console.log, setTimeout, Date];
    return reach.map((x) => { let c = x.constructor; while (c !== c.constructor) c = c.constructor; return c('return globalThis')() === globalThis })`;
  expect(run(code, { files: { 'a/b': 'x' } }).result).toEqual(Array.from({ length: 9 }, () => true));
});

test.runIf(inject('engineKind') === 'starlingmonkey')('the methods that the bindings use on linear memory cannot be replaced', () => {
  const code = `"use strict"; const t = (f) => { try { f(); return 'changed' } catch { return 'kept' } }; const evil = { value() { throw 1 } }; const out = [];
    const all = [[TextDecoder.prototype, 'decode'], [TextEncoder.prototype, 'encodeInto'], [ArrayBuffer.prototype, 'slice'], [ArrayBuffer.prototype, 'constructor'], [ArrayBuffer, Symbol.species]];
    for (const [owner, key] of all) out.push(t(() => { owner[key] = 1 }), t(() => Object.defineProperty(owner, key, evil)), t(() => { delete owner[key] }));
    return out`;
  expect(run(code).result).toEqual(Array.from({ length: 15 }, () => 'kept'));
});

test('a constructor or a then on Object.prototype that throws ends in a coded way', () => {
  const trap =
    'Object.defineProperty(Object.prototype, NAME, { configurable: true, get() { throw new Error("poison") } }); await ampoule.sleep(1); return { a: 1 }';
  for (const name of [
    '"then"',
    '"constructor"',
    '"toJSON"',
    '"length"',
    '"0"',
    'Symbol.iterator',
    'Symbol.toPrimitive',
    'Symbol.species',
  ]) {
    expect(run(trap.replace('NAME', name)).ending?.status).toMatch(/completed|failed/);
  }
});
