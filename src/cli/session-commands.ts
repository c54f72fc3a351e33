import type { Command } from 'commander';
import type { ProcessContext } from './command.ts';
import type { EndOptions, ListOptions, ShowOptions } from './sessions.ts';

export interface CommandFrame {
  readonly context: ProcessContext;
  /** Adds the option that names the config file. */
  readonly withConfig: (command: Command) => Command;
  /** Loads what a command needs once it is asked for. */
  readonly load: <T>(command: () => Promise<T>) => Promise<T>;
}

/** `ampoule sessions ...`: what the operator sees and ends, beside a server that runs or without one. */
export function addSessionCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const sessions = program.command('sessions').description('list, show and end the sessions of agents');
  const loaded = async () => load(() => import('./sessions.ts'));
  withConfig(sessions.command('list'))
    .description('every session that has not ended; its id is not its handle')
    .option('--principal <name>', 'only the sessions of this principal')
    .option('--json', 'print a JSON array')
    .action(async (options: ListOptions) => (await loaded()).listSessions(context, options));
  withConfig(sessions.command('show'))
    .argument('<id>', 'id that "ampoule sessions list" shows')
    .description('the keys of the state of one session and how large they are')
    .option('--values', 'the values too')
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: ShowOptions) => (await loaded()).showSession(context, id, options));
  withConfig(sessions.command('end'))
    .argument('[id]', 'id that "ampoule sessions list" shows')
    .description('end sessions: their state is deleted, and a server that runs refuses their handles at once')
    .option('--all', 'every session')
    .option('--principal <name>', 'every session of this principal')
    .action(async (id: string | undefined, options: EndOptions) => (await loaded()).endSessions(context, id, options));
}
