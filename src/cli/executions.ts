import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';
import type { ExecutionRegister } from '../execution/execution-register.ts';
import type { ExecutionStatus, ExecutionSummary } from '../execution/execution-store.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import { readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { findExecution, noStoreText, openRegister } from './execution-register-file.ts';
import { shownExecution } from './execution-story.ts';
import { storyText } from './execution-text.ts';
import { executionsTable, shownSummary } from './executions-table.ts';
import { limitOption, shownOption, timeOption, usageError } from './list-options.ts';
import { recordCommand } from './record-command.ts';

export interface ExecutionOptions extends CommonOptions {
  readonly json?: boolean;
}

export interface ListOptions extends ExecutionOptions {
  readonly status?: string;
  readonly principal?: string;
  readonly since?: string;
  readonly limit?: string;
}

const STATUSES: readonly ExecutionStatus[] = ['running', 'waiting', 'completed', 'failed', 'cancelled'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;
/** How long a command waits for the server that is to end an execution, and how often it looks. */
const CANCEL_MS = 2_000;
const LOOK_MS = 50;

/** `ampoule executions list`: the newest first. @throws SandboxError ERR_CLI_USAGE, ERR_EXECUTION_STORE */
export async function listExecutions(context: ProcessContext, options: ListOptions): Promise<void> {
  const { status, principal, since, limit } = options;
  const filter = {
    status: status === undefined ? undefined : statusesOf(status),
    principal,
    since: since === undefined ? undefined : Math.ceil(timeOption(since, Date.now(), 'executions list')),
    limit: limit === undefined ? DEFAULT_LIMIT : limitOption(limit, MAX_LIMIT, 'executions list'),
  };
  const config = await readConfig(context, options);
  using register = openRegister(context, config);
  if (register === undefined) context.stderr.write(`${noStoreText(context, config)}\n`);
  const [found, hasMore] = firstOf(register?.list({ ...filter, limit: filter.limit + 1 }) ?? [], filter.limit);
  const isFiltered = [status, principal, since].some((option) => option !== undefined);
  context.stdout.write(
    options.json === true
      ? `${JSON.stringify(found.map(shownSummary))}\n`
      : executionsTable(found, hasMore, register !== undefined && isFiltered),
  );
}

function firstOf(found: readonly ExecutionSummary[], limit: number): [ExecutionSummary[], boolean] {
  return [found.slice(0, limit), found.length > limit];
}

/** `ampoule executions show ID`: one execution's story. @throws SandboxError ERR_EXECUTION_UNKNOWN, ERR_EXECUTION_DAMAGED, ERR_EXECUTION_STORE */
export async function showExecution(context: ProcessContext, id: string, options: ExecutionOptions): Promise<void> {
  const config = await readConfig(context, options);
  using register = openRegister(context, config);
  const execution = findExecution(register, id, noStoreText(context, config));
  const shown = shownExecution(execution, register?.approvals(execution.id) ?? []);
  context.stdout.write(options.json === true ? `${JSON.stringify(shown)}\n` : storyText(shown));
}

/**
 * `ampoule executions cancel ID`: a server that runs it ends it at once, else the next one that carries it on does.
 * @throws SandboxError ERR_EXECUTION_UNKNOWN when there is none, or it has ended
 */
export async function cancelExecution(context: ProcessContext, id: string, options: ExecutionOptions): Promise<void> {
  const config = await readConfig(context, options);
  using register = openRegister(context, config);
  const execution = findExecution(register, id, noStoreText(context, config));
  if (register?.requestCancel(execution.id) !== true) {
    const message = `The execution ${harmlessLine(execution.id)} has ended (${execution.status}).`;
    throw new SandboxError('ERR_EXECUTION_UNKNOWN', message, {
      hint: '"ampoule executions list --status running,waiting" shows what goes on.',
    });
  }
  await recordCommand(context, config, { kind: 'execution', action: 'cancel', execution: execution.id });
  const ended = await untilEnded(register, execution.id, context.signal);
  const said = { id: execution.id, status: ended ?? execution.status };
  context.stdout.write(options.json === true ? `${JSON.stringify(said)}\n` : `${harmlessLine(execution.id)} ${cancelText(ended)}\n`);
}

/** @param ended how; undefined when it has not yet */
function cancelText(ended: ExecutionStatus | undefined): string {
  if (ended === undefined) return 'will be cancelled by the server that carries it on, or by the next one that is started.';
  return ended === 'cancelled' ? 'is cancelled.' : `has ended (${ended}), before it could be cancelled.`;
}

async function untilEnded(register: ExecutionRegister, id: string, signal: AbortSignal | undefined): Promise<ExecutionStatus | undefined> {
  for (let waited = 0; waited < CANCEL_MS; waited += LOOK_MS) {
    const found = register.glance(id);
    if (found?.endedAt !== undefined || signal?.aborted === true) return found?.endedAt === undefined ? undefined : found.status;
    await sleep(LOOK_MS);
  }
  return undefined;
}

function statusesOf(text: string): ExecutionStatus[] {
  return text.split(',').map((name) => {
    const status = STATUSES.find((one) => one === name.trim());
    if (status !== undefined) return status;
    throw usageError(
      `--status expects ${STATUSES.join(', ')}, or several of them with commas, got ${shownOption(text)}.`,
      'executions list',
    );
  });
}
