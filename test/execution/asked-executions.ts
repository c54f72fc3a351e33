import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { ExecutionStart, ExecutionStore, StoredApproval } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';

const START: Omit<ExecutionStart, 'seed'> = {
  programKey: 'ab'.repeat(32),
  engineHash: 'cd'.repeat(32),
  script: '',
  input: 'null',
  state: '',
  limits: { ...LIMIT_DEFAULTS },
  now: 1,
  context: '{}',
};

/** One store file as two processes have it: the gateway that carries executions on, and a command beside it. */
export async function openStores(): Promise<{ gateway: ExecutionStore; command: ExecutionStore } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-approvals-'));
  const file = join(folder, 'executions.db');
  const gateway = openExecutions({ file, group: 'test', limits: LIMIT_DEFAULTS });
  const command = openExecutions({ file, group: '', limits: LIMIT_DEFAULTS });
  const close = async (): Promise<void> => {
    await Promise.all([gateway.close(), command.close()]);
    await rm(folder, { recursive: true });
  };
  return { gateway, command, [Symbol.asyncDispose]: close };
}

/** An execution that has begun. @param code its program */
export async function begin(store: ExecutionStore, id: string, principal: string, code = 'return 1;'): Promise<void> {
  await store.create({ id, principal, createdAt: Date.now(), request: JSON.stringify({ version: 1, code }) });
  await store.start(id, { ...START, seed: randomBytes(32).toString('hex') });
}

export async function end(store: ExecutionStore, id: string): Promise<void> {
  const usage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
  await store.ended(id, { status: 'failed', code: 'ERR_EXECUTE_WAITING_TIME', usage, response: '{}' });
}

export async function openIds(store: ExecutionStore, ...executions: string[]): Promise<string[]> {
  const open = await store.approvals();
  return open.filter(({ executionId }) => executions.includes(executionId)).map(({ id }: StoredApproval) => id);
}
