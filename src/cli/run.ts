import { SandboxError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Limits } from '../limits.ts';
import { parseExecuteRequest } from '../server/input-schema.ts';
import { tellOperator } from './approvals-told.ts';
import { open, readConfig, readProgram, type CommonOptions, type ProcessContext } from './command.ts';

export interface RunOptions extends CommonOptions {
  /** JSON text. */
  readonly input?: string;
  /** The structured answer alone on stdout. */
  readonly json?: boolean;
}

/** `ampoule run FILE`: one program, once. Returns the exit code: 0 only for a completed run. */
export async function run(context: ProcessContext, file: string, options: RunOptions): Promise<number> {
  const config = await readConfig(context, options);
  const input = parseInput(options.input);
  const code = await readProgram(context, file);
  const request = parseExecuteRequest({ code, ...input }, config.limits);
  // What runs is the operator's own program: its answer is the output, and the log is only for what goes wrong.
  const log = createLog({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  await using started = new AsyncDisposableStack();
  // Others' executions are for servers: this process is gone in a moment.
  const sandbox = await open(context, { ...config, limits: wholeAnswers(config.limits) }, log, { executions: 'own' });
  started.defer(() => sandbox.close());
  const { structured, content } = await sandbox.port.execute(request, {
    signal: context.signal,
    approver: tellOperator(context),
    form: options.json === true ? 'structured' : 'text',
  });
  const text = content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join('\n');
  context.stdout.write(`${options.json === true ? JSON.stringify(structured) : text}\n`);
  return structured.status === 'completed' ? 0 : 1;
}

/** A terminal or a file has room for what a model has not: nothing is shortened as long as it is within what may be kept. Nor is it in a hurry. */
function wholeAnswers(limits: Limits): Limits {
  return { ...limits, maxResultBytes: limits.maxKeptResultBytes, maxLogBytes: limits.maxKeptLogBytes, answerAfterMs: Infinity };
}

function parseInput(text: string | undefined): { input?: unknown } {
  if (text === undefined) return {};
  try {
    return { input: JSON.parse(text) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandboxError('ERR_CLI_USAGE', `--input is not JSON: ${reason}`, { hint: `For example --input '{"days":7}'.`, cause });
  }
}
