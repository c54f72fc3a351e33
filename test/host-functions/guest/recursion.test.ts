import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SupervisedExecutor } from '../../../src/execute/supervised-executor.ts';
import { openTestExecutor, resultOf, runBody } from '../../support/executor.ts';

/** In an executor, whose workers have the stack that an engine's own limit needs. */

let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor.close());

test('too deep a recursion that nobody catches is ERR_EXECUTE_STACK', async () => {
  const { end } = await runBody(executor, 'const r = () => r() + 1; r()');
  expect(end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_STACK' });
});

test.each([
  ['plain calls', 'const r = () => r() + 1; r()'],
  ['getters', 'const o = { get x() { return this.x } }; o.x'],
  ['callbacks of natives', 'const r = () => [1].map(r); r()'],
  ['replacements', 'const r = () => "a".replace(/a/, r); r()'],
  ['constructors', 'class A { constructor() { new A() } } new A()'],
  ['deep JSON', 'JSON.parse("[".repeat(1e5))'],
  ['deep source', 'eval("(".repeat(1e5))'],
])('too deep a recursion of %s is an error that can be caught, and the run goes on', async (_what, code) => {
  const outcome = await runBody(executor, `try { ${code} } catch (e) { return e instanceof Error && [1, 2].map((x) => x + 1) }`);
  expect(resultOf(outcome)).toEqual([2, 3]);
});
