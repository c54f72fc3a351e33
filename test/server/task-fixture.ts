import { SandboxError } from '../../src/errors.ts';
import { presentFailure, type ExecuteResponse } from '../../src/result/present.ts';
import { createCannedPort, type CannedPort } from './canned-port.ts';
import { eventually, startFixture } from './http-fixture.ts';

export const TOOL = { kind: 'tool', call: 3, server: 'github', tool: 'list_issues', since: 1_000 } as const;
export const ASKED = {
  kind: 'approval',
  call: 4,
  server: 'github',
  tool: 'drop',
  since: 1_000,
  approval: 'apr_1',
  text: 'May it?',
} as const;

/** A server whose executions wait for words of the test, and whose questions are kept. */
export interface TaskFixture {
  readonly server: { readonly url: string; close(): Promise<void> };
  readonly port: CannedPort;
  /** An id of an execution that no other test has. */
  readonly nextId: () => string;
  /** Resolves when there is the execution. */
  readonly begun: (executionId: string) => Promise<void>;
}

export async function startTasks(): Promise<TaskFixture> {
  const port = createCannedPort();
  const { server } = await startFixture({ port: { ...port, approvals: port.executions.approvals } });
  let ids = 0;
  return { server, port, nextId: () => `exe_t${++ids}`, begun: (id) => eventually(() => port.executions.has(id)) };
}

/** How a run ends that fails. */
export function failing(code: 'ERR_EXECUTE_THROWN' | 'ERR_INTERNAL'): (executionId: string) => Promise<ExecuteResponse> {
  const error = new SandboxError(code, 'It went wrong.');
  return (executionId) => Promise.resolve(presentFailure({ executionId, error }));
}
