import { Command } from 'commander';
import type { ProcessContext } from '../../src/cli/command.ts';
import type { CommandFrame } from '../../src/cli/session-commands.ts';
import { errorText, exitCodeOf } from '../../src/cli/error-text.ts';
import type { CliResult } from './run-cli.ts';

/** A command line in this process, which takes no second to start. @param config file of which, where `args` name no other */
export async function inProcess(
  add: (program: Command, frame: CommandFrame) => void,
  folder: string,
  config: string,
  args: readonly string[],
): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) });
  const folders = { workingDirectory: folder, packageDirectory: folder };
  const context = { ...folders, environment: {}, stdout: stream('stdout'), stderr: stream('stderr') } as unknown as ProcessContext;
  const program = new Command('ampoule').exitOverride();
  const withConfig = (command: Command): Command => command.option('-c, --config <file>');
  add(program, { context, withConfig, load: (command) => command() });
  try {
    await program.parseAsync([...args, ...(args.includes('--config') ? [] : ['--config', config])], { from: 'user' });
    return { code: 0, ...written };
  } catch (error) {
    return { code: exitCodeOf(error), stdout: written.stdout, stderr: written.stderr + errorText(error) };
  }
}
