import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody, sharedExecutor, type RunOptions } from '../support/executor.ts';

/** A hostile program: what it tries, its text, and how it must end: with this code, or with exactly this value. */
export type Hostile = readonly [what: string, body: string, ending: string | readonly string[] | { value: unknown }, options?: RunOptions];

/** Limits that make an endless program short. */
export const SHORT: RunOptions = { limits: { fuel: 300_000_000, timeoutMs: 5_000, waitMs: 500 } };

// A frame of ours, of the engine or of the machine, in anything that leaves a run.
const OURS = /file:\/\/|node:|\.ts\b|wasm|\/home\/|\/tmp\/|\/work|node_modules|initializer\.js|guest\.js|componentize|user\.js|<input>/;

/** One executor for a file of hostile programs, its own when it asks for one. It must be the same process at the end. */
export function attack(own?: Parameters<typeof openTestExecutor>[0]): {
  executor: () => SupervisedExecutor;
  all: (programs: readonly Hostile[]) => void;
} {
  let executor: SupervisedExecutor;
  let pid: number | undefined;
  beforeAll(async () => {
    executor = await (own ? openTestExecutor(own) : sharedExecutor());
    pid = executor.pid;
  });
  afterAll(() => (own ? executor.close() : undefined));
  const all = (programs: readonly Hostile[]): void => {
    test.each(programs.map((program) => ({ what: program[0], program })))(
      '$what',
      async ({ program: [, body, ending, options = SHORT] }) => {
        const outcome = await runBody(executor, body, options);
        expectEnding(outcome, ending);
        expectNothingLeaked(outcome);
        expect(resultOf(await runBody(executor, 'return [2 + 2, typeof globalThis.leak, Object.keys(Object.prototype)]'))).toEqual([
          4,
          'undefined',
          [],
        ]);
        expect(executor.pid).toBe(pid);
      },
    );
  };
  return { executor: () => executor, all };
}

/** The required end, or what there was instead. */
function expectEnding(outcome: RunOutcome, ending: Hostile[2]): void {
  const isValue = typeof ending === 'object' && 'value' in ending;
  const allowed = isValue ? ['completed'] : [ending].flat();
  const code = codeOf(outcome);
  expect(allowed.includes(code) ? code : outcome.end).toBe(code);
  expect(isValue ? resultOf(outcome) : undefined).toEqual(isValue ? ending.value : undefined);
}

/** Neither a path nor a frame of the host, the engine or the runtime is in what a run gives out. */
export function expectNothingLeaked({ end, logs }: RunOutcome): void {
  expect(JSON.stringify([end, logs]).slice(0, 100_000)).not.toMatch(OURS);
}
