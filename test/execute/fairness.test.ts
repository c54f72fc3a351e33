import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { DEFAULT_RUN_LIMITS, openTestExecutor } from '../support/executor.ts';

let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 1, maxRunsPerWorker: 64 });
});
afterAll(() => executor.close());

/** Folders of results, which say whose run it is. */
const GREEDY = 'a'.repeat(32);
const MODEST = 'b'.repeat(32);
const script = 'return (async () => { let n = 0; for (let i = 0; i < 300_000; i++) n += i; return n; })();\n//# sourceURL=program.js\n';

function run(results: string): Promise<unknown> {
  const program = { key: programKey({ script, engineHash: inject('engine').hash }), script };
  const request = { executionId: 'exe', program, input: 'null', state: '{}', limits: DEFAULT_RUN_LIMITS, results };
  return executor.run(request, () => Promise.reject(new Error('no calls here')), new AbortController().signal);
}

test('a principal with one run waits for some of another that has forty, and not for all', async () => {
  await run(GREEDY);
  const ended: string[] = [];
  const greedy = Array.from({ length: 40 }, () => run(GREEDY).then(() => ended.push('greedy')));
  const modest = run(MODEST).then(() => ended.push('modest'));
  await Promise.all([...greedy, modest]);
  // One computes, one is with the worker already, and one may have had its turn.
  expect(ended.indexOf('modest')).toBeLessThanOrEqual(4);
});
