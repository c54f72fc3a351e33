import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReplayCommandOptions } from './replay.ts';
import type { CommandFrame } from './session-commands.ts';
import type { TestCommandOptions } from './test-recordings.ts';

/** `ampoule replay` and `ampoule test`: recorded runs again, without any upstream server. */
export function addReplayCommands(program: Command, { context, withConfig, load }: CommandFrame, exitWith: (code: number) => void): void {
  withConfig(program.command('replay'))
    .argument('<id>', 'executionId, or the beginning of one that "ampoule executions" lists')
    .description('run an execution again offline, with its recorded answers; exit code 0 when nothing differs')
    .option('--until <call>', 'stop when the call of this number has been made, and show what is pending', wholeNumber)
    .option('--trace', 'print every call with the time of the run and the fuel used')
    .addOption(
      new Option('--save <folder>', 'write it below this folder, as a test; it holds what tools answered')
        .conflicts('until')
        .argParser(someFolder),
    )
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: ReplayCommandOptions) =>
      exitWith(await (await load(() => import('./replay.ts'))).replayExecution(context, id, options)),
    );
  withConfig(program.command('test'))
    .argument('<folder>', 'folder that "ampoule replay --save" wrote to')
    .description('run all recordings of a folder again on this version; exit code 0 when each gives what it gave before')
    .option('--json', 'print a JSON array')
    .action(async (folder: string, options: TestCommandOptions) =>
      exitWith(await (await load(() => import('./test-recordings.ts'))).testRecordings(context, folder, options)),
    );
}

/** A variable of a script that is not set would be the working directory. */
function someFolder(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty: name a folder, such as recordings.');
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not the number of a call: 1, 2, 3 ...');
}
