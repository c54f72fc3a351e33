import type { Command } from 'commander';
import type { CreateOptions, ListOptions } from './keys.ts';
import type { CommandFrame } from './session-commands.ts';

/** `ampoule keys ...`: the API keys that let clients in over HTTP, beside a server that runs or without one. */
export function addKeyCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const keys = program.command('keys').description('create, list and revoke the API keys of HTTP clients');
  const loaded = async () => load(() => import('./keys.ts'));
  withConfig(keys.command('create'))
    .argument('<name>', 'who it is for: keys of one name are one principal')
    .description('make a key and print it, once')
    .option('--tools <globs...>', 'the only tools that it may call, such as "github.*" (default: all)')
    .option('--expires <time>', 'when it ends: 90d, 12h, or a date such as 2027-01-31 (default: never)')
    .action(async (name: string, options: CreateOptions) => (await loaded()).createKey(context, name, options));
  withConfig(keys.command('list'))
    .description('every key, without the keys themselves')
    .option('--json', 'print a JSON array')
    .action(async (options: ListOptions) => (await loaded()).listKeys(context, options));
  withConfig(keys.command('revoke'))
    .argument('<name|id>', 'name of the keys, or the id of one, that "ampoule keys list" shows')
    .description('let keys open nothing any more, from the next request on')
    .action(async (which: string, options: ListOptions) => (await loaded()).revokeKeys(context, which, options));
}
