import { Option, type Command } from 'commander';
import type { CommonOptions } from './command.ts';
import type { LoginOptions } from './login.ts';
import type { CommandFrame } from './session-commands.ts';

/** `ampoule login` and `ampoule logout`: what the operator lets Ampoule do at upstream servers that ask for OAuth. */
export function addLoginCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const loaded = async () => load(() => import('./login.ts'));
  withConfig(program.command('login'))
    .argument('[server]', 'name of a server of mcpServers that has a "url"')
    .description('let Ampoule use an upstream server that asks for a login, with the browser')
    .option('--list', 'show the logins that there are')
    .option('--json', 'with --list: print a JSON array')
    .option('--no-browser', 'open no browser: the URL is printed, and the address it ends at can be pasted')
    .option('--scope <scopes>', 'scopes to ask for beside those of the login before, with spaces between them')
    .addOption(new Option('--timeout <seconds>', 'how long to wait for the person').default('300'))
    .action(async (server: string | undefined, options: LoginOptions) => (await loaded()).login(context, server, options));
  withConfig(program.command('logout'))
    .argument('<server>', 'name of a server')
    .description('forget the login at an upstream server, and tell its authorization server')
    .action(async (server: string, options: CommonOptions) => (await loaded()).logout(context, server, options));
}
