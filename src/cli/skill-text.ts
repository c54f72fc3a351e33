import { harmlessLine, harmlessText } from '../result/harmless-text.ts';
import type { SkillState, SkillVersion } from '../skill/skill.ts';
import { drawTable } from './table.ts';

/** Whether the operator has not decided about it. */
export function isOpen({ state }: SkillVersion): boolean {
  return state === 'waiting' || state === 'private';
}

/** Whether everybody may use it. */
export function isApproved({ state }: SkillVersion): boolean {
  return state === 'approved';
}

interface Summary {
  readonly name: string;
  readonly description: string;
  /** The newest approved version. */
  readonly approved: number | null;
  /** Versions that the operator has not decided about: nobody's, or those that only who saved them uses. */
  readonly waiting: readonly number[];
  readonly private: readonly number[];
  readonly versions: number;
}

/**
 * One line of the list.
 * @param versions - of one name, the oldest first
 */
export function summary(versions: readonly SkillVersion[]): Summary {
  const shown = versions.findLast(isApproved) ?? versions.at(-1);
  const inState = (state: SkillState): number[] => versions.filter((skill) => skill.state === state).map(({ version }) => version);
  return {
    name: shown?.name ?? '',
    description: shown?.description ?? '',
    approved: versions.findLast(isApproved)?.version ?? null,
    waiting: inState('waiting'),
    private: inState('private'),
    versions: versions.length,
  };
}

/** `ampoule skills list` as a person reads it. */
export function listing(skills: readonly Summary[]): string {
  if (skills.length === 0) return 'No skills.\n';
  const rows = skills.map((skill) => [
    skill.name,
    skill.approved === null ? '-' : String(skill.approved),
    skill.waiting.join(', ') || '-',
    skill.private.join(', ') || '-',
    line(skill.description, 80),
  ]);
  const count = `${skills.length} ${skills.length === 1 ? 'skill' : 'skills'}.`;
  return `${drawTable([['NAME', 'APPROVED', 'WAITING', 'PRIVATE', 'DESCRIPTION'], ...rows])}\n${count}\n`;
}

/** What `--json` tells of a version, beside its code. */
export function facts(skill: SkillVersion) {
  const { name, version, state, principal, description, code, exports, depends, dependsHash, savedAt, decidedAt } = skill;
  return {
    name,
    version,
    state,
    principal,
    description,
    bytes: Buffer.byteLength(code),
    savedAt: new Date(savedAt).toISOString(),
    ...(decidedAt !== undefined && { decidedAt: new Date(decidedAt).toISOString() }),
    exports,
    depends,
    dependsHash,
  };
}

/** `ampoule skills show` as a person reads it. */
export function details(skill: SkillVersion): string {
  const { name, version, state, principal, description, savedAt, exports, depends, code } = skill;
  const tools = depends.tools.map(({ server, tool }) => `${server}.${tool}`).join(', ') || 'none';
  const skills = depends.skills.map((each) => `${each.name}@${each.version}`).join(', ') || 'none';
  const rows = [
    ['skill', `${name}@${version}, ${state}`],
    ['saved', `${new Date(savedAt).toISOString()} by ${harmlessLine(principal)}`],
    ['description', line(description, 1_000)],
    ['exports', line(exports.map(({ signature }) => signature).join('; '), 1_000)],
    ['tools', line(tools, 1_000)],
    ['imports', skills],
  ];
  // An agent wrote this: nothing in it moves the cursor of the terminal or hides a part of it.
  const lines = code.split('\n').map((text) => `  ${harmlessText(text)}`);
  const next = isOpen(skill) ? [`To approve exactly this: ampoule skills approve ${name}@${version}`] : [];
  return `${[drawTable(rows), '', ...lines, ...next].join('\n')}\n`;
}

function line(text: string, most: number): string {
  const plain = harmlessText(text.replaceAll(/\s+/gu, ' ').trim());
  return plain.length > most ? `${plain.slice(0, most)}…` : plain;
}
