import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { LiveExecution } from '../../src/live/live-execution.ts';
import { presentFailure } from '../../src/result/present.ts';
import { recordEnd } from '../../src/run/run-end.ts';
import type { Run } from '../../src/run/run-parts.ts';
import type { SandboxStages } from '../../src/sandbox-stages.ts';

const RESPONSE = presentFailure({ executionId: 'exe_1', error: new SandboxError('ERR_EXECUTE_THROWN', 'no') });

interface Case {
  readonly hasActed?: boolean;
  readonly isKept?: boolean;
  readonly isWell?: boolean;
  readonly prepare?: (execution: LiveExecution) => void;
}

/** The end of a run whose store writes when the test says so. */
function end({ hasActed = false, isKept = true, isWell = true, prepare }: Case) {
  const told: string[] = [];
  const writing = Promise.withResolvers<void>();
  const store = {
    ended: (id: string, { status, code }: { status: string; code?: string }) => {
      told.push([id, status, code].join(' '));
      return writing.promise;
    },
    hurry: () => void told.push('hurried'),
  };
  const log = { warn: ({ executionId }: { executionId: string }) => void told.push(`warned of ${executionId}`) };
  const stages = { executions: { store, health: { isWell } }, log } as unknown as SandboxStages;
  const execution = new LiveExecution({ executionId: 'exe_1', principal: 'local', createdAt: 1 }, () => undefined);
  if (isKept) execution.keep();
  prepare?.(execution);
  const audit = { end: (response: unknown) => response };
  const run = { executionId: 'exe_1', hasActed, keeping: Promise.resolve(), call: {}, audit } as unknown as Run;
  void recordEnd(stages, run, execution, { response: RESPONSE }).then(() => told.push('answered'));
  return { told, writing };
}

/** All that can be done without the disk has been done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the end of a run', () => {
  test.each([
    ['that has made a call which may not be made twice', { hasActed: true }],
    ['that somebody was told of as going on', { prepare: (execution: LiveExecution) => void execution.detach() }],
    ['that was cancelled', { prepare: (execution: LiveExecution) => execution.cancel() }],
  ])('%s is written down before anybody is told', async (_, how) => {
    const { told, writing } = end(how);
    await turn();
    expect(told).toEqual(['exe_1 failed ERR_EXECUTE_THROWN', 'hurried']);
    writing.resolve();
    await turn();
    expect(told.at(-1)).toBe('answered');
  });

  test('that would do nothing twice is told while it is written', async () => {
    const { told } = end({});
    await turn();
    expect(told).toEqual(['exe_1 failed ERR_EXECUTE_THROWN', 'answered']);
  });

  test('that cannot be written down is told all the same, and the log says so', async () => {
    const { told, writing } = end({ hasActed: true });
    writing.reject(new SandboxError('ERR_EXECUTION_STORE', 'The disk is full.'));
    await turn();
    expect(told.slice(2)).toEqual(['warned of exe_1', 'answered']);
  });

  test('that is not kept, where the store takes nothing just now, is not written', async () => {
    const { told } = end({ hasActed: true, isKept: false, isWell: false });
    await turn();
    expect(told).toEqual(['answered']);
  });
});
