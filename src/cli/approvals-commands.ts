import type { Command } from 'commander';
import type { ApprovalOptions, ListOptions } from './approvals.ts';
import type { CommandFrame } from './session-commands.ts';

/** `ampoule approvals ...`: the calls that wait for a person, and what the operator says to them, beside a server that runs or without one. */
export function addApprovalCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const approvals = program.command('approvals').description('list, show, approve and refuse the tool calls that wait for a person');
  const loaded = async () => load(() => import('./approvals.ts'));
  const named = (name: string, description: string): Command =>
    withConfig(approvals.command(name))
      .argument('<id>', 'id that "ampoule approvals list" shows, or the beginning of one')
      .description(description)
      .option('--json', 'print a JSON object');
  withConfig(approvals.command('list', { isDefault: true }))
    .description('every call that waits for a person, the one that has waited longest first')
    .option('--principal <name>', 'only those of this principal')
    .option('--json', 'print a JSON array')
    .action(async (options: ListOptions) => (await loaded()).listApprovals(context, options));
  named('show', 'one call with its arguments and the program that makes it').action(async (id: string, options: ApprovalOptions) =>
    (await loaded()).showApproval(context, id, options),
  );
  named('approve', 'let this one call be made').action(async (id: string, options: ApprovalOptions) =>
    (await loaded()).decideApproval(context, id, true, options),
  );
  named('refuse', 'do not let it be made: the program gets an error that it can catch').action(
    async (id: string, options: ApprovalOptions) => (await loaded()).decideApproval(context, id, false, options),
  );
}
