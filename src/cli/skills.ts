import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../audit/audit-event.ts';
import { SandboxError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { harmlessLine, harmlessText } from '../result/harmless-text.ts';
import type { SkillVersion } from '../skill/skill.ts';
import { createSkillStore, type SkillStore } from '../skill/skill-store.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { recordCommand } from './record-command.ts';
import { details, facts, isApproved, isOpen, listing, summary } from './skill-text.ts';
import { drawTable } from './table.ts';

export interface SkillOptions extends CommonOptions {
  readonly json?: boolean;
}

/** `ampoule skills list`: every skill, with the version in use and those that wait. */
export async function listSkills(context: ProcessContext, options: SkillOptions): Promise<void> {
  await withStore(context, options, (store) => {
    const skills = [...Map.groupBy(store?.all() ?? [], ({ name }) => name).values()].map(summary);
    context.stdout.write(options.json === true ? `${JSON.stringify(skills)}\n` : listing(skills));
  });
}

/** `ampoule skills show NAME[@VERSION]`. @throws SandboxError ERR_SKILL_UNKNOWN, ERR_CLI_USAGE */
export async function showSkill(context: ProcessContext, reference: string, options: SkillOptions): Promise<void> {
  await withStore(context, options, (store) => {
    const { name, version } = parseReference(reference);
    const versions = history(store, name);
    const shown = version === undefined ? (versions.find(isOpen) ?? versions.find(isApproved) ?? versions[0]) : pick(versions, version);
    if (shown === undefined) throw unknown(name, undefined);
    context.stdout.write(options.json === true ? `${JSON.stringify({ ...facts(shown), code: shown.code })}\n` : details(shown));
  });
}

/**
 * `ampoule skills approve|reject NAME[@VERSION]`: a server that runs goes by it from its next use of the skill on.
 * @throws SandboxError ERR_SKILL_UNKNOWN, ERR_SKILL_INVALID, ERR_CLI_USAGE
 */
export async function decideSkill(
  context: ProcessContext,
  reference: string,
  state: 'approved' | 'rejected',
  options: SkillOptions,
): Promise<void> {
  await withStore(context, options, (store) => {
    const { name, version } = parseReference(reference);
    const versions = history(store, name);
    const chosen = version === undefined ? onlyOpen(name, versions) : pick(versions, version);
    const decided = store?.decide(name, chosen.version, state) ?? chosen;
    const inUse = store?.history(name).find(isApproved)?.version;
    const use = inUse === undefined ? 'No version is approved.' : `Version ${inUse} is in use.`;
    const text = `${name}, version ${decided.version}: ${state}. ${use}`;
    context.stdout.write(options.json === true ? `${JSON.stringify({ ...facts(decided), inUse: inUse ?? null })}\n` : `${text}\n`);
    return { kind: 'skill', action: state === 'approved' ? 'approve' : 'reject', subject: `${name}@${decided.version}` };
  });
}

/** `ampoule skills history NAME`. @throws SandboxError ERR_SKILL_UNKNOWN */
export async function showHistory(context: ProcessContext, name: string, options: SkillOptions): Promise<void> {
  await withStore(context, options, (store) => {
    const versions = history(store, name).map(facts);
    const rows = versions.map((entry) => [
      `${entry.name}@${entry.version}`,
      entry.state,
      entry.savedAt,
      harmlessLine(entry.principal),
      entry.decidedAt ?? '',
      `${entry.bytes} bytes`,
    ]);
    const text = drawTable([['VERSION', 'STATE', 'SAVED', 'BY', 'DECIDED', 'SIZE'], ...rows]);
    context.stdout.write(options.json === true ? `${JSON.stringify(versions)}\n` : `${text}\n`);
  });
}

/** `ampoule skills remove NAME`. @throws SandboxError ERR_SKILL_UNKNOWN */
export async function removeSkill(context: ProcessContext, name: string, options: SkillOptions): Promise<void> {
  await withStore(context, options, (store) => {
    history(store, name);
    const removed = store?.remove(name) ?? 0;
    const text = `${name}: removed with ${removed} ${removed === 1 ? 'version' : 'versions'}.`;
    context.stdout.write(options.json === true ? `${JSON.stringify({ name, removed })}\n` : `${text}\n`);
    return { kind: 'skill', action: 'remove', subject: name };
  });
}

/**
 * Without a file there are no skills, and looking does not make one.
 * @param work gives back what is to be recorded of it
 */
async function withStore(
  context: ProcessContext,
  options: CommonOptions,
  work: (store: SkillStore | undefined) => AuditEvent | void,
): Promise<void> {
  const config = await readConfig(context, options);
  const file = join(cacheDirectory(context, config), 'skills.db');
  if (!existsSync(file)) return void work(undefined);
  const store = createSkillStore({ file, mode: config.skills, maxSkills: config.limits.maxSkills });
  let done: AuditEvent | void;
  try {
    done = work(store);
  } finally {
    store.close();
  }
  if (done) await recordCommand(context, config, done);
}

function parseReference(reference: string): { name: string; version?: number } {
  const [name = '', version, ...more] = reference.split('@');
  if (version === undefined) return { name };
  if (/^[1-9]\d{0,8}$/u.test(version) && more.length === 0) return { name, version: Number(version) };
  throw new SandboxError('ERR_CLI_USAGE', `${printable(reference)} is not NAME or NAME@VERSION.`, { hint: 'For example triage-issues@2.' });
}

function history(store: SkillStore | undefined, name: string): SkillVersion[] {
  const versions = (store?.all() ?? []).filter((skill) => skill.name === name).reverse();
  if (versions.length === 0) throw unknown(name, store);
  return versions;
}

function unknown(name: string, store: SkillStore | undefined): SandboxError {
  const near = nearestName(
    name,
    (store?.all() ?? []).map((skill) => skill.name),
  );
  return new SandboxError('ERR_SKILL_UNKNOWN', `There is no skill ${printable(name)}.`, {
    hint: near === undefined ? '"ampoule skills list" shows all.' : `Did you mean "${near}"?`,
  });
}

function pick(versions: readonly SkillVersion[], version: number): SkillVersion {
  const found = versions.find((skill) => skill.version === version);
  if (found !== undefined) return found;
  const known = versions.map((skill) => skill.version).join(', ');
  throw new SandboxError('ERR_SKILL_UNKNOWN', `There is no version ${version} of "${versions[0]?.name}".`, {
    hint: `There are: ${known}.`,
  });
}

/** What is decided without a version is what the operator has seen: another may have come since. */
function onlyOpen(name: string, versions: readonly SkillVersion[]): SkillVersion {
  const open = versions.filter(isOpen);
  const [only] = open;
  if (only !== undefined && open.length === 1) return only;
  const names = (open.length > 0 ? open : versions).map(({ version }) => `${name}@${version}`).join(', ');
  throw new SandboxError(
    'ERR_SKILL_UNKNOWN',
    open.length > 0 ? `More than one version of "${name}" waits.` : `No version of "${name}" waits.`,
    {
      hint: `Name one: ${names}.`,
    },
  );
}

function printable(text: string): string {
  return harmlessText(JSON.stringify(text.slice(0, 80)));
}
