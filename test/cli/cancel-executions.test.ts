import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import { addExecutionCommands } from '../../src/cli/executions-commands.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { COMPLETED, LIMITS, newExecution } from '../execution/stored-executions.ts';
import { inProcess } from './in-process.ts';
import type { CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
/** As a server that runs has it. */
let store: ExecutionStore;
beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {} });
  store = openExecutions({ file: join(folder.path, 'cache', 'executions.db'), group: 'test', limits: LIMITS });
});
afterAll(async () => {
  await store.close();
  await folder[Symbol.asyncDispose]();
});

const executions = (...args: string[]): Promise<CliResult> => inProcess(addExecutionCommands, folder.path, config, ['executions', ...args]);

test('a cancel is heard by the server that carries it on', async () => {
  await store.create(newExecution('exe_live', { createdAt: 1 }));
  const forget = store.onCancelRequest((id) => void store.ended(id, { ...COMPLETED, status: 'cancelled' }));
  expect(await executions('cancel', 'exe_live')).toEqual({
    code: 0,
    stdout: 'exe_live is cancelled.\n',
    stderr: '',
  });
  forget();
  await store.create(newExecution('exe_live_too', { createdAt: 1 }));
  const other = store.onCancelRequest((id) => void store.ended(id, COMPLETED));
  expect((await executions('cancel', 'exe_live_too')).stdout).toBe('exe_live_too has ended (completed), before it could be cancelled.\n');
  other();
  expect(await executions('cancel', 'exe_live')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/ERR_EXECUTION_UNKNOWN\n.*has ended \(cancelled\)/),
  });
  // Once: what has ended is not ended again.
  const audit = openAuditRegister(join(folder.path, 'cache', 'audit.db'));
  expect(audit.last({ execution: 'exe_live' }, 10).map(({ line }) => line)).toEqual([
    { time: expect.any(Number), kind: 'execution', principal: 'local', execution: 'exe_live', action: 'cancel' },
  ]);
  audit.close();
});

test('a cancel is kept for the next server when none is there', async () => {
  await store.create(newExecution('exe_alone', { createdAt: 1 }));
  expect((await executions('cancel', 'exe_alone')).stdout).toBe(
    'exe_alone will be cancelled by the server that carries it on, or by the next one that is started.\n',
  );
  expect((await store.read('exe_alone'))?.isCancelRequested).toBe(true);
  expect((await executions('cancel', 'exe_alone', '--json')).stdout).toBe('{"id":"exe_alone","status":"running"}\n');
});
