import type { Command } from 'commander';
import type { ExecutionOptions, ListOptions } from './executions.ts';
import type { CommandFrame } from './session-commands.ts';

/** `ampoule executions ...`: what runs, waits and has ended, beside a server that runs or without one. */
export function addExecutionCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const executions = program.command('executions').description('list, show and cancel what runs, waits and has ended');
  const loaded = async () => load(() => import('./executions.ts'));
  withConfig(executions.command('list', { isDefault: true }))
    .argument('[id]', 'tells the story of this one, as show does')
    .description('executions, the newest first')
    .option('--status <status>', 'only those that are running, waiting, completed, failed or cancelled; several with commas')
    .option('--principal <name>', 'only those of this principal')
    .option('--since <time>', 'only those begun after a time ago (30m, 1h, 7d) or a date (2026-01-31)')
    .option('--limit <number>', 'so many at most, the newest (default: 100)')
    .option('--json', 'print a JSON array')
    .action(async (id: string | undefined, options: ListOptions) =>
      id === undefined ? (await loaded()).listExecutions(context, options) : (await loaded()).showExecution(context, id, options),
    );
  withConfig(executions.command('show'))
    .argument('<id>', 'executionId, or the beginning of one that is in the list')
    .description('the story of one: its source, calls, waits, limits used and end')
    .option('--json', 'print a JSON object, with all texts whole')
    .action(async (id: string, options: ExecutionOptions) => (await loaded()).showExecution(context, id, options));
  withConfig(executions.command('cancel'))
    .argument('<id>', 'executionId, or the beginning of one that is in the list')
    .description('end one that runs or waits')
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: ExecutionOptions) => (await loaded()).cancelExecution(context, id, options));
}
