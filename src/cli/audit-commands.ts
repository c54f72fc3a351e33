import type { Command } from 'commander';
import type { AuditOptions } from './audit.ts';
import type { CommandFrame } from './session-commands.ts';

/** `ampoule audit`: who did what, beside a server that runs or without one. */
export function addAuditCommand(program: Command, { context, withConfig, load }: CommandFrame): void {
  withConfig(program.command('audit'))
    .description('who did what: the last runs and tool calls')
    .option('--principal <name>', 'only of this principal; a glob such as "key:ci-*" too')
    .option('--since <time>', 'only after a time ago (30m, 1h, 7d) or a date (2026-01-31)')
    .option('--server <name>', 'only calls of this server, or a glob')
    .option('--tool <name>', 'only calls of this tool, or a glob')
    .option('--code <code>', 'only with this error code; "ok" for what went well')
    .option('--kind <kind>', 'only runs (run), calls (call), auth, skill, key, login, approval, execution, begin or gap')
    .option('--execution <id>', 'only of this run')
    .option('--failed', 'only what did not go well')
    .option('--limit <number>', 'so many lines at most (default: 100)')
    .option('--json', 'print one JSON object per line')
    .option('--follow', 'go on with new lines as they come')
    .action(async (options: AuditOptions) => (await load(() => import('./audit.ts'))).showAudit(context, options));
}
