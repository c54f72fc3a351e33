import { join } from 'node:path';
import type { AuditLine } from '../../src/audit/audit-event.ts';
import { openAuditRegister, type AuditChoice } from '../../src/audit/audit-register.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { StoredApproval } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { createLog } from '../../src/log.ts';
import { openSandbox, type OpenSandbox } from '../../src/open-sandbox.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import type { ExecuteOptions, ExecuteRequest } from '../../src/server/sandbox-port.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { temporary, writeConfig } from './harness.ts';
import { until } from './processes.ts';

/** A sandbox in this process, where a run can be anybody's, and what is in its audit. */
export class AuditedSandbox implements AsyncDisposable {
  readonly directory: string;
  readonly #folder: AsyncDisposable;
  readonly #sandbox: OpenSandbox;

  constructor(directory: string, folder: AsyncDisposable, sandbox: OpenSandbox) {
    [this.directory, this.#folder, this.#sandbox] = [directory, folder, sandbox];
  }

  get port(): OpenSandbox['port'] {
    return this.#sandbox.port;
  }

  /** A run of a principal. */
  async execute(
    principal: string,
    code: string,
    more: Omit<ExecuteRequest, 'code'> = {},
    options: Partial<ExecuteOptions> = {},
  ): Promise<ExecuteOutput> {
    const { structured } = await this.port.execute({ code, ...more }, { signal: new AbortController().signal, principal, ...options });
    return structured;
  }

  /** The lines that are chosen, once there are so many. */
  async lines(choice: AuditChoice, least = 1): Promise<AuditLine[]> {
    const register = openAuditRegister(join(this.directory, 'cache', 'audit.db'));
    try {
      let found: AuditLine[] = [];
      const look = (): boolean => (found = register.last(choice, 1_000).map(({ line }) => line)).length >= least;
      await until('the lines are there', look, 5_000);
      return found;
    } finally {
      register.close();
    }
  }

  async runOf({ executionId }: ExecuteOutput): Promise<AuditLine | undefined> {
    return (await this.lines({ execution: executionId, kind: 'run' }))[0];
  }

  callsOf({ executionId }: ExecuteOutput, least = 1): Promise<AuditLine[]> {
    return this.lines({ execution: executionId, kind: 'call' }, least);
  }

  /** Decides as another process does about the first question that is there. */
  async decide(granted: boolean): Promise<void> {
    const store = openExecutions({ file: join(this.directory, 'cache', 'executions.db'), limits: LIMIT_DEFAULTS, group: '' });
    try {
      let open: StoredApproval[] = [];
      await until('somebody is asked', async () => (open = await store.approvals()).length > 0, 10_000);
      await store.decide(open[0]?.id ?? '', { granted, by: 'operator', at: Date.now() });
    } finally {
      await store.close();
    }
  }

  /** Ends the process that runs programs, without a word. */
  killExecutor(): void {
    process.kill(this.#sandbox.executor.pid ?? Number.NaN, 'SIGKILL');
  }

  /** Ends the sandbox and keeps its folder. */
  close(): Promise<void> {
    return this.#sandbox.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Opens a sandbox by a config file in a folder of its own. */
export async function openAudited(written: object): Promise<AuditedSandbox> {
  const folder = await temporary();
  const directory = folder.path;
  const quiet = { check: 'off', log: { level: 'silent' }, ...written };
  const config = await loadConfig({ file: await writeConfig(directory, quiet), environment: {} });
  const options = { cacheDirectory: join(directory, 'cache'), installDirectory: directory, environment: {}, version: '1' };
  return new AuditedSandbox(directory, folder, await openSandbox({ config, ...options, log: createLog(config.log) }));
}
