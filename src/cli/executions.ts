import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { openExecutionRegister, type ExecutionRegister } from '../execution/execution-register.ts';
import type { ExecutionStatus, ExecutionSummary, StoredExecution } from '../execution/execution-store.ts';
import { clipText, harmlessLine } from '../result/harmless-text.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { shownExecution, toSeconds } from './execution-story.ts';
import { storyText } from './execution-text.ts';
import { limitOption, shownOption, timeOption, usageError } from './list-options.ts';
import { recordCommand } from './record-command.ts';
import { drawTable } from './table.ts';

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
const CELL_CHARS = 48;
const HINT = '"ampoule executions list" shows the ids.';

/** `ampoule executions list`: the newest first. @throws SandboxError ERR_CLI_USAGE, ERR_EXECUTION_STORE */
export async function listExecutions(context: ProcessContext, options: ListOptions): Promise<void> {
  const { status, principal, since, limit } = options;
  const filter = {
    status: status === undefined ? undefined : statusesOf(status),
    principal,
    since: since === undefined ? undefined : Math.ceil(timeOption(since, Date.now(), 'executions list')),
    limit: limit === undefined ? DEFAULT_LIMIT : limitOption(limit, MAX_LIMIT, 'executions list'),
  };
  using register = openRegister(context, await readConfig(context, options));
  const found = register?.list(filter) ?? [];
  context.stdout.write(options.json === true ? `${JSON.stringify(found.map(shownSummary))}\n` : table(found));
}

/** `ampoule executions show ID`: one execution's story. @throws SandboxError ERR_EXECUTION_UNKNOWN, ERR_EXECUTION_DAMAGED, ERR_EXECUTION_STORE */
export async function showExecution(context: ProcessContext, id: string, options: ExecutionOptions): Promise<void> {
  using register = openRegister(context, await readConfig(context, options));
  const execution = findExecution(register, id);
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
  const execution = findExecution(register, id);
  if (register?.requestCancel(execution.id) !== true) {
    const message = `The execution ${harmlessLine(execution.id)} has ended (${execution.status}).`;
    throw new SandboxError('ERR_EXECUTION_UNKNOWN', message, {
      hint: '"ampoule executions list --status running,waiting" shows what goes on.',
    });
  }
  await recordCommand(context, config, { kind: 'execution', action: 'cancel', execution: execution.id });
  const ended = await untilEnded(register, execution.id, context.signal);
  const said =
    ended === undefined
      ? 'It has not ended yet: the server that carries it on ends it, or the next one that does.'
      : `It has ended: ${ended}.`;
  context.stdout.write(`${harmlessLine(execution.id)} is to be cancelled. ${said}\n`);
}

async function untilEnded(register: ExecutionRegister, id: string, signal: AbortSignal | undefined): Promise<ExecutionStatus | undefined> {
  for (let waited = 0; waited < CANCEL_MS; waited += LOOK_MS) {
    const found = register.glance(id);
    if (found?.endedAt !== undefined || signal?.aborted === true) return found?.endedAt === undefined ? undefined : found.status;
    await sleep(LOOK_MS);
  }
  return undefined;
}

/** Without a file there are no executions, and looking does not make one. */
function openRegister(context: ProcessContext, config: Config): ExecutionRegister | undefined {
  const file = join(cacheDirectory(context, config), 'executions.db');
  return existsSync(file) ? openExecutionRegister(file, config.limits) : undefined;
}

/** By its id, or by the beginning of one. @throws SandboxError ERR_EXECUTION_UNKNOWN */
export function findExecution(register: ExecutionRegister | undefined, id: string): StoredExecution {
  const whole = register?.read(id);
  if (whole !== undefined) return whole;
  const alike = id === '' ? [] : (register?.list({}) ?? []).filter((one) => one.id.startsWith(id));
  const [first] = alike;
  if (alike.length > 1) {
    const shown = alike.slice(0, 5).map((one) => harmlessLine(one.id));
    throw new SandboxError('ERR_EXECUTION_UNKNOWN', `${alike.length} executions begin with ${shownOption(id)}.`, {
      hint: `Write more of the id: ${shown.join(', ')}${alike.length > 5 ? ', …' : ''}`,
    });
  }
  const execution = first === undefined ? undefined : register?.read(first.id);
  if (execution !== undefined) return execution;
  throw new SandboxError('ERR_EXECUTION_UNKNOWN', `There is no execution ${shownOption(id)}, or it is not kept any more.`, { hint: HINT });
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

function shownSummary({ createdAt, endedAt, ...rest }: ExecutionSummary): object {
  const ended = endedAt === undefined ? {} : { ended: new Date(endedAt).toISOString() };
  return { ...rest, created: new Date(createdAt).toISOString(), ...ended };
}

const HEAD = ['ID', 'PRINCIPAL', 'STATUS', 'CREATED', 'ENDED', 'CALLS', 'FUEL', 'ASLEEP', 'BYTES'];

function table(found: readonly ExecutionSummary[]): string {
  if (found.length === 0) return 'No executions.\n';
  const rows = found.map(({ id, principal, status, code, createdAt, endedAt, toolCalls, fuel, hibernations, imageBytes }) => [
    harmlessLine(id),
    harmlessLine(clipText(principal, CELL_CHARS)),
    status === 'failed' ? `failed ${harmlessLine(code ?? '')}`.trimEnd() : status,
    toSeconds(createdAt),
    endedAt === undefined ? '-' : toSeconds(endedAt),
    ...[toolCalls, fuel, hibernations, imageBytes].map(String),
  ]);
  const count = `${found.length} ${found.length === 1 ? 'execution' : 'executions'}.`;
  return `${drawTable([HEAD, ...rows])}\n${count}\n`;
}
