import type { Command } from 'commander';
import type { CommandFrame } from './session-commands.ts';
import type { SkillOptions } from './skills.ts';

/** `ampoule skills ...`: what agents saved and what the operator says to it, beside a server that runs or without one. */
export function addSkillCommands(program: Command, { context, withConfig, load }: CommandFrame): void {
  const skills = program.command('skills').description('list, show, approve, reject and remove the modules that agents saved');
  const loaded = async () => load(() => import('./skills.ts'));
  const command = (name: string, description: string): Command =>
    withConfig(skills.command(name)).description(description).option('--json', 'print JSON');
  const named = (name: string, description: string): Command =>
    command(name, description).argument('<name[@version]>', 'name of the skill, and which version of it');
  command('list', 'every skill with its versions').action(async (options: SkillOptions) => (await loaded()).listSkills(context, options));
  named('show', 'one version: the newest that waits, else the one in use').action(async (skill: string, options: SkillOptions) =>
    (await loaded()).showSkill(context, skill, options),
  );
  named('approve', 'let everybody use a version; without one, the only version that waits').action(
    async (skill: string, options: SkillOptions) => (await loaded()).decideSkill(context, skill, 'approved', options),
  );
  named('reject', 'let nobody use a version; without one, the only version that waits').action(
    async (skill: string, options: SkillOptions) => (await loaded()).decideSkill(context, skill, 'rejected', options),
  );
  command('history', 'every version of a skill: when, and who saved it')
    .argument('<name>', 'name of the skill')
    .action(async (skill: string, options: SkillOptions) => (await loaded()).showHistory(context, skill, options));
  command('remove', 'delete a skill with all its versions')
    .argument('<name>', 'name of the skill')
    .action(async (skill: string, options: SkillOptions) => (await loaded()).removeSkill(context, skill, options));
}
