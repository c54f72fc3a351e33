import { Command } from 'commander';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessContext } from '../../src/cli/command.ts';
import { errorText, exitCodeOf } from '../../src/cli/error-text.ts';
import { addReplayCommands } from '../../src/cli/replay-commands.ts';
import { openExecutionRegister } from '../../src/execution/execution-register.ts';
import type { StoredExecution } from '../../src/execution/execution-store.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { openAudited, type AuditedSandbox } from '../e2e/audited-sandbox.ts';
import { fixture, temporary } from '../e2e/harness.ts';
import { until } from '../e2e/processes.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import type { CliResult } from './run-cli.ts';

/** A sandbox whose runs are replayed, and a folder beside it in which commands are given: `data` in it is a mount of the sandbox. */
export class RecordingSandbox implements AsyncDisposable {
  readonly sandbox: AuditedSandbox;
  readonly outside: string;
  readonly #folder: AsyncDisposable;

  constructor(sandbox: AuditedSandbox, outside: string, folder: AsyncDisposable) {
    [this.sandbox, this.outside, this.#folder] = [sandbox, outside, folder];
  }

  static async open(files: Readonly<Record<string, string>>): Promise<RecordingSandbox> {
    const folder = await temporary();
    const data = join(folder.path, 'data');
    await mkdir(data);
    for (const [name, text] of Object.entries(files)) await writeFile(join(data, name), text);
    const sandbox = await openAudited({
      mcpServers: { crm: fixture('office'), web: fixture('office') },
      mounts: { data },
      skills: 'on',
      policies: { personalData: { servers: ['crm'] } },
      limits: { hibernateAfterMs: 20, maxResultBytes: 2_000 },
    });
    return new RecordingSandbox(sandbox, folder.path, folder);
  }

  get config(): string {
    return join(this.sandbox.directory, 'ampoule.json');
  }

  /** A run, with its end written down: that may be a moment after its answer. */
  async run(code: string, more: object = {}): Promise<ExecuteOutput> {
    const output = await this.sandbox.execute('local', code, more);
    if (output.status !== 'waiting') await this.untilEnded(output);
    return output;
  }

  async untilEnded(output: ExecuteOutput): Promise<void> {
    await until('the end is written down', () => this.stored(output).endedAt !== undefined);
  }

  /** What is stored of a run. */
  stored({ executionId }: ExecuteOutput): StoredExecution {
    using register = openExecutionRegister(join(this.sandbox.directory, 'cache', 'executions.db'), LIMIT_DEFAULTS);
    const found = register.read(executionId);
    if (found) return found;
    throw new Error(`nothing is stored of ${executionId}`);
  }

  /** The command line in this process, which takes no second to start. */
  async ampoule(args: readonly string[], cwd = this.outside): Promise<CliResult> {
    const written = { stdout: '', stderr: '' };
    const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) });
    const signal = new AbortController().signal;
    const folders = { workingDirectory: cwd, packageDirectory: cwd };
    const context = {
      ...folders,
      signal,
      environment: {},
      stdout: stream('stdout'),
      stderr: stream('stderr'),
    } as unknown as ProcessContext;
    const program = new Command('ampoule').exitOverride().configureOutput({ writeErr: (text) => void (written.stderr += text) });
    const withConfig = (command: Command): Command => command.option('-c, --config <file>');
    let code = 0;
    addReplayCommands(program, { context, withConfig, load: (command) => command() }, (exit) => (code = exit));
    try {
      await program.parseAsync([...args, '--config', this.config], { from: 'user' });
      return { code, ...written };
    } catch (error) {
      return { code: exitCodeOf(error), stdout: written.stdout, stderr: written.stderr + errorText(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
