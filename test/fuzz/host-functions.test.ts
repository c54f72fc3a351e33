import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { expectNothingLeaked } from '../escape/hostile.ts';
import { openTestExecutor, resultOf, runBody } from '../support/executor.ts';
import { property } from './property.ts';

const folder = mkdtempSync(join(tmpdir(), 'ampoule-fuzz-files-'));
writeFileSync(join(folder, 'a.txt'), 'a file');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let executor: SupervisedExecutor;
let pid: number | undefined;
beforeAll(async () => {
  executor = await openTestExecutor({ mounts: { mount: folder } });
  pid = executor.pid;
});
afterAll(() => executor.close());

/** The source of a value: plain data, and everything that is none. */
const { value } = fc.letrec<{ value: string; plain: string }>((tie) => ({
  plain: fc.oneof(
    fc.constantFrom(
      'undefined',
      'null',
      'NaN',
      '-0',
      '1e309',
      '-1',
      '2 ** 53',
      '10n',
      'Symbol.iterator',
      'Symbol("s")',
      '() => 1',
      'class A {}',
      'globalThis',
      'Object.prototype',
    ),
    fc.constantFrom(
      '"mount/a.txt"',
      '"mount/../a.txt"',
      '"servers/x"',
      '"results/0"',
      '"skills/a"',
      '"ampoule://results/1"',
      '"__proto__"',
      '"constructor"',
      '"\\ud800"',
      '"\\u0000"',
      '"x".repeat(5000)',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
    fc.constantFrom(
      'new Date(NaN)',
      '/x/g',
      'new Map([[1, 2]])',
      'new Uint8Array(3)',
      'new Proxy({}, {})',
      'new Proxy({}, { get() { throw new Error("trap"); } })',
      'Promise.reject(1).catch(() => 1) && 1',
      'new Error("e")',
      'Object.create(null)',
    ),
    fc.constantFrom(
      '{ toJSON() { throw 1; } }',
      '{ get a() { throw new TypeError("getter"); } }',
      '{ toString: null, valueOf: null }',
      '{ then: (f) => f(1) }',
      '{ ["__proto__"]: 1, constructor: 2 }',
      '(() => { const o = {}; o.o = o; return o; })()',
      '(() => { let o = 1; for (let i = 0; i < 2000; i++) o = [o]; return o; })()',
    ),
  ),
  value: fc.oneof(
    { maxDepth: 2 },
    tie('plain'),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.map(inBrackets).join(', ')}]`),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), tie('value'), { maxKeys: 3 }).map(
      (members) =>
        `{ ${Object.entries(members)
          .map(([key, item]) => `[${JSON.stringify(key)}]: ${inBrackets(item)}`)
          .join(', ')} }`,
    ),
  ),
}));

function inBrackets(source: string): string {
  return `(${source})`;
}

const call = fc
  .tuple(
    fc.constantFrom(
      'ampoule.callTool',
      'ampoule.readFile',
      'ampoule.log',
      'ampoule.setState',
      'ampoule.getState',
      'console.log',
      'console.table',
      'structuredClone',
      'setTimeout',
      'crypto.getRandomValues',
      'TextDecoder.prototype.decode.call',
      'URL.parse',
      'atob',
      'AbortSignal.timeout',
      'performance.now',
    ),
    fc.array(value, { maxLength: 4 }),
    fc.boolean(),
  )
  .map(
    ([name, values, isNew]) =>
      `try { seen.push(typeof ${isNew ? 'await ' : ''}${name}(${values.map(inBrackets).join(', ')})); } catch (error) { seen.push(error === null ? 'null' : typeof error); }`,
  );

property(
  'host functions and the runtime take any arguments: a value, an error of the program, or a code',
  25,
  fc.tuple(fc.array(call, { minLength: 1, maxLength: 8 }), value),
  async ([calls, result]) => {
    const outcome = await runBody(executor, `const seen = []; ${calls.join('\n')}\n return [seen, ${inBrackets(result)}];`, {
      limits: { fuel: 2_000_000_000, timeoutMs: 5_000, waitMs: 300, maxToolCalls: 20 },
    });
    if (outcome.end.status === 'failed') {
      expect(ERROR_CODES).toContain(outcome.end.code);
      expect(['ERR_EXECUTE_ENGINE', 'ERR_INTERNAL', 'ERR_EXECUTE_CRASHED']).not.toContain(outcome.end.code);
    }
    expectNothingLeaked(outcome);
    expect(resultOf(await runBody(executor, 'return [2 + 2, Object.keys(Object.prototype)]'))).toEqual([4, []]);
    expect(executor.pid).toBe(pid);
  },
);
