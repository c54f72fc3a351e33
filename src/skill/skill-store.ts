import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { transact } from '../store/database.ts';
import { openReadable } from '../store/readable-database.ts';
import { closureOf, drawCircle } from './closure.ts';
import type { NewSkill, SkillDependencies, SkillExport, SkillMode, SkillState, SkillVersion } from './skill.ts';
import { importsOf } from './skill-set.ts';
import { MIGRATIONS, STATEMENTS } from './skill-tables.ts';

/** Versions of one name that are kept of what one principal saved. The one in use is kept in any case. */
export const MAX_VERSIONS = 20;

/** Who comes from this machine, and has nobody to share with but by the operator's wish. */
const LOCAL = 'local';
/** A principal may have so many times as many as are free: three quarters of all where it is alone, less where others have some. */
const SHARE = 3;

export interface SkillStoreOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string;
  readonly mode: SkillMode;
  /** Names that may be kept, each counted once for every principal that saved it. One principal alone gets not all of them, but for `local`. */
  readonly maxSkills: number;
  readonly now?: () => number;
}

/**
 * Skills with their versions. Every method reads or writes the file at once, so two processes that have it open see each other's
 * work. All of them throw SandboxError ERR_SKILL_STORE when the file cannot be used.
 */
export interface SkillStore {
  readonly mode: SkillMode;
  /** Rises with every change by anybody. */
  changes(): number;
  /** The version of a name that the principal uses: the newest that it may. */
  find(name: string, principal: string): SkillVersion | undefined;
  /** What {@link find} gives for every name that the principal may use, sorted by name. */
  list(principal: string): SkillVersion[];
  /** The names of {@link list}. */
  names(principal: string): string[];
  /**
   * Keeps a version; the same code and description again are no new one.
   * @throws SandboxError ERR_SKILL_OFF; ERR_SKILL_INVALID for a circle of imports, or when there are too many skills
   */
  save(skill: NewSkill): SkillVersion;
  /** Every version of every skill, for the operator. */
  all(): SkillVersion[];
  /** The versions of a name, the newest first. @throws SandboxError ERR_SKILL_UNKNOWN */
  history(name: string): SkillVersion[];
  /** The operator's word on a version. @throws SandboxError ERR_SKILL_UNKNOWN; ERR_SKILL_INVALID when approved skills would import each other in a circle */
  decide(name: string, version: number, state: 'approved' | 'rejected'): SkillVersion;
  /** Takes a skill away with all its versions; gives back how many there were. @throws SandboxError ERR_SKILL_UNKNOWN */
  remove(name: string): number;
  close(): void;
}

/** Opens or makes the file. @throws SandboxError ERR_SKILL_STORE */
export function createSkillStore(options: SkillStoreOptions): SkillStore {
  const { mode, now = Date.now } = options;
  const db = guarded(() => openReadable({ file: options.file, migrations: MIGRATIONS }));
  const tables = new SkillTables(db, mode);
  const changing = <T>(work: () => T): T =>
    guarded(() =>
      transact(db, () => {
        const done = work();
        tables.run.change.run();
        return done;
      }),
    );
  return {
    mode,
    changes: () => guarded(() => Number(tables.run.changes.get()?.['value'])),
    find: (name, principal) => guarded(() => tables.find(name, principal)),
    list: (principal) => guarded(() => tables.list(principal)),
    names: (principal) => guarded(() => tables.run.names.all(tables.viewer(principal)).map(({ name }) => String(name))),
    save: (skill) => changing(() => tables.save(skill, options.maxSkills, now())),
    all: () => guarded(() => tables.run.all.all().map(toSkill)),
    history: (name) => guarded(() => tables.history(name)),
    decide: (name, version, state) => changing(() => tables.decide(name, version, state, now())),
    remove: (name) =>
      changing(() => {
        const { length } = tables.history(name);
        tables.run.remove.run({ name });
        return length;
      }),
    close: () => db.close(),
  };
}

/** The statements at work; the caller sees to transactions. */
class SkillTables {
  readonly run: Record<keyof typeof STATEMENTS, StatementSync>;
  readonly #mode: SkillMode;

  constructor(db: DatabaseSync, mode: SkillMode) {
    this.#mode = mode;
    const entries = Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)]);
    this.run = Object.fromEntries(entries) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  /** Who looks, and whether its own skills count. */
  viewer(principal: string): { principal: string; own: number } {
    return { principal, own: this.#mode === 'on' ? 1 : 0 };
  }

  find(name: string, principal: string): SkillVersion | undefined {
    const row = this.run.find.get({ name, ...this.viewer(principal) });
    return row === undefined ? undefined : toSkill(row);
  }

  list(principal: string): SkillVersion[] {
    return this.run.list.all(this.viewer(principal)).map(toSkill);
  }

  history(name: string): SkillVersion[] {
    const found = this.run.history.all({ name }).map(toSkill);
    if (found.length === 0) throw new SandboxError('ERR_SKILL_UNKNOWN', `There is no skill "${name}".`);
    return found;
  }

  save(skill: NewSkill, maxSkills: number, time: number): SkillVersion {
    if (this.#mode === 'off') throw new SandboxError('ERR_SKILL_OFF', 'Skills cannot be saved here.');
    const { name, principal, description, code } = skill;
    const own = this.run.own.all({ name, principal }).map(toSkill);
    const state = this.#mode === 'on' ? 'private' : 'waiting';
    const last = Number(this.run.newest.get({ name })?.['version'] ?? 0);
    const [newest] = own;
    // With other tools behind it, the same text is a version of its own.
    const depends = JSON.stringify(skill.depends);
    const dependsHash = createHash('sha256').update(depends).digest('hex');
    const isSame =
      newest?.version === last && newest.code === code && newest.description === description && newest.dependsHash === dependsHash;
    if (isSame && (newest.state === 'approved' || newest.state === state)) return newest;
    if (own.length === 0) this.#demandRoom(principal, maxSkills);
    refuseCircle(name, importsOf(skill), (imported) => this.find(imported, principal));
    const version = last + 1;
    const texts = { exports: JSON.stringify(skill.exports), depends, dependsHash };
    this.run.add.run({ name, version, principal, state, description, code, ...texts, savedAt: time });
    this.#forget(name, own);
    return { ...skill, version, state, dependsHash, savedAt: time };
  }

  /** Skills are not replaced by others, so nobody with a name may take all of the room: there is always some left for whoever comes. */
  #demandRoom(principal: string, maxSkills: number): void {
    const all = Number(this.run.owned.get()?.['count']);
    if (all >= maxSkills) throw tooMany(maxSkills);
    const own = Number(this.run.ownedBy.get({ principal })?.['count']);
    if (principal !== LOCAL && own > 0 && own >= SHARE * (maxSkills - all)) throw tooManyOwn(own, maxSkills);
  }

  decide(name: string, version: number, state: 'approved' | 'rejected', time: number): SkillVersion {
    const skill = this.history(name).find((candidate) => candidate.version === version);
    if (skill === undefined) throw new SandboxError('ERR_SKILL_UNKNOWN', `There is no version ${version} of the skill "${name}".`);
    // With nobody's own skills in sight: what is approved must stand without them.
    const find = (imported: string): SkillVersion | undefined => this.find(imported, '');
    if (state === 'approved') refuseCircle(name, importsOf(skill), (imported) => (imported === name ? skill : find(imported)));
    this.run.decide.run({ name, version, state, time });
    return { ...skill, state, decidedAt: time };
  }

  /** The oldest versions go, but not the one that is in use. `own` are those before the newest. */
  #forget(name: string, own: readonly SkillVersion[]): void {
    const inUse = this.run.history
      .all({ name })
      .map(toSkill)
      .find(({ state }) => state === 'approved')?.version;
    for (const { version } of own.slice(MAX_VERSIONS - 1)) {
      if (version !== inUse) this.run.drop.run({ name, version });
    }
  }
}

function refuseCircle(name: string, imports: readonly string[], find: (name: string) => SkillVersion | undefined): void {
  const { circle } = closureOf(imports, find, importsOf, name);
  if (circle === undefined) return;
  const what = circle.length === 2 ? `The skill "${name}" imports itself.` : `Skills import each other in a circle: ${drawCircle(circle)}.`;
  throw new SandboxError('ERR_SKILL_INVALID', what, { hint: 'Put what both need into a skill of its own that imports neither.' });
}

function tooMany(maxSkills: number): SandboxError {
  return new SandboxError('ERR_SKILL_INVALID', `There are ${maxSkills} skills already, and no more can be saved.`, {
    hint: 'Save it as a new version of a skill that you have, or ask the operator to remove some or to raise limits.maxSkills.',
  });
}

function tooManyOwn(own: number, maxSkills: number): SandboxError {
  return new SandboxError(
    'ERR_SKILL_INVALID',
    `You have saved ${own} skills, and what is left of the ${maxSkills} that there may be is for others.`,
    {
      hint: 'Save it as a new version of a skill that you have, or ask the operator to remove some or to raise limits.maxSkills.',
    },
  );
}

function toSkill(row: Record<string, SQLOutputValue>): SkillVersion {
  const { name, version, principal, state, description, code, exports, depends, dependsHash, savedAt, decidedAt } = row;
  return {
    name: String(name),
    version: Number(version),
    principal: String(principal),
    // Written by this file alone.
    state: String(state) as SkillState,
    description: String(description),
    code: String(code),
    exports: JSON.parse(String(exports)) as SkillExport[],
    depends: JSON.parse(String(depends)) as SkillDependencies,
    dependsHash: String(dependsHash),
    savedAt: Number(savedAt),
    ...(decidedAt !== null && decidedAt !== undefined && { decidedAt: Number(decidedAt) }),
  };
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    throw new SandboxError('ERR_SKILL_STORE', 'The store of skills cannot be used.', { cause });
  }
}
