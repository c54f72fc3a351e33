import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { EXECUTIONS_DATABASE, openExecutionRegister, type ExecutionRegister } from '../execution/execution-register.ts';
import type { StoredExecution } from '../execution/execution-store.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import { cacheDirectory, type ProcessContext } from './command.ts';
import { shownOption } from './list-options.ts';

const HINT = '"ampoule executions list" shows the ids.';

/** Where executions are kept. */
export function executionsPath(context: ProcessContext, config: Pick<Config, 'cacheDir'>): string {
  return join(cacheDirectory(context, config), EXECUTIONS_DATABASE);
}

/** Without a file there are no executions, and looking does not make one. */
export function openRegister(context: ProcessContext, config: Config): ExecutionRegister | undefined {
  const file = executionsPath(context, config);
  return existsSync(file) ? openExecutionRegister(file, config.limits) : undefined;
}

/** What an operator has to hear who looks where nothing is, most often because it is kept elsewhere. */
export function noStoreText(context: ProcessContext, config: Pick<Config, 'cacheDir'>): string {
  return `There is no ${executionsPath(context, config)} yet. If a server runs, name its config file with --config.`;
}

/** By its id, or by the beginning of one. @param hint where none is open @throws SandboxError ERR_EXECUTION_UNKNOWN */
export function findExecution(register: ExecutionRegister | undefined, id: string, hint: string): StoredExecution {
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
  throw new SandboxError('ERR_EXECUTION_UNKNOWN', `There is no execution ${shownOption(id)}, or it is not kept any more.`, {
    hint: register === undefined ? hint : HINT,
  });
}
