import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunUsage } from '../../src/execute/run.ts';
import type {
  ExecutionEnd,
  ExecutionStart,
  ExecutionStore,
  NewExecution,
  StoredCall,
  StoredWait,
} from '../../src/execution/execution-store.ts';
import { openExecutions, type ExecutionStoreOptions } from '../../src/execution/store/sqlite-executions.ts';

export const MiB = 1024 * 1024;
export const LIMITS = { executionTtlMs: 86_400_000, maxStoredBytes: 1024 * MiB, maxRecordBytes: 64 * MiB };
export const USAGE: RunUsage = { fuel: 1_000, peakMemoryBytes: 65_536, activeMs: 2, waitingMs: 3, toolCalls: 1 };
export const START: ExecutionStart = {
  programKey: 'ab'.repeat(32),
  engineHash: 'cd'.repeat(32),
  script: `// ${'a program, "quoted" and with \\ in it\n'.repeat(100)}`,
  input: JSON.stringify({ n: 1, text: 'ü'.repeat(2_000) }),
  state: '{"a":1}',
  stateVersion: 3,
  limits: {
    timeoutMs: 1,
    waitMs: 2,
    fuel: 3,
    memoryMb: 4,
    maxToolCalls: 5,
    maxConcurrentToolCalls: 6,
    maxResultBytes: 7,
    maxStateBytes: 8,
    maxLogBytes: 9,
    maxToolArgumentBytes: 10,
    maxFileBytes: 11,
  },
  now: 1_700_000_000_000.5,
  seed: '0f'.repeat(32),
  results: 'results',
  context: '{"session":"ses_1"}',
};

export function newExecution(id: string, more: Partial<NewExecution> = {}): NewExecution {
  return { id, principal: 'local', createdAt: 1_700_000_000_000, request: JSON.stringify({ code: `return "${id}";` }), ...more };
}

export function sentCall(number: number, more: Partial<StoredCall> = {}): StoredCall {
  const known = {
    server: 'mail',
    tool: 'send',
    arguments: '{"to":"ann"}',
    stage: 'sent',
    isRepeatable: false,
    at: 1_700_000_000_001,
  } as const;
  return { number, ...known, ...more };
}

export function waitOf(more: Partial<StoredWait> = {}): StoredWait {
  return { pending: [], lastCall: 0, nextTimer: null, now: 1, at: 1_700_000_000_002, usage: USAGE, imageBytes: 0, ...more };
}

export const COMPLETED: ExecutionEnd = { status: 'completed', usage: USAGE, outcome: '{"result":1}', response: '{"structured":{}}' };

/** A folder for one test's stores: all are closed with it. */
export class StoreFolder implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ampoule-executions-'));
  readonly file = join(this.path, 'executions.db');
  readonly #open: ExecutionStore[] = [];

  open(
    options: Partial<Omit<ExecutionStoreOptions, 'limits'>> & { readonly limits?: Partial<ExecutionStoreOptions['limits']> } = {},
  ): ExecutionStore {
    const store = openExecutions({ file: this.file, group: 'test', ...options, limits: { ...LIMITS, ...options.limits } });
    this.#open.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#open.map((store) => store.close()));
    rmSync(this.path, { recursive: true, force: true });
  }
}
