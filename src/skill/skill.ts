/**
 * Whether a version may be used: by everybody (`approved`), by who saved it, where the operator's mode is "on" (`private`), or by
 * nobody, because the operator has not looked at it (`waiting`) or said no (`rejected`).
 */
export type SkillState = 'approved' | 'private' | 'waiting' | 'rejected';

/** Whether agents may save skills: not at all, for the operator to approve each, or for themselves at once. */
export type SkillMode = 'off' | 'ask' | 'on';

/** Something that a skill exports. */
export interface SkillExport {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'constant' | 'type';
  /** One line: `triage(issues: Issue[], limit?: number): Issue[]`. */
  readonly signature: string;
}

/** What a piece of code takes from one module. */
export interface ModuleUse {
  readonly specifier: string;
  /** The names of the exports, types included; "*" when it may be any. */
  readonly names: readonly string[] | '*';
}

/** A tool that a skill can call, and the hash of its schemas when the skill was saved. */
export interface ToolDependency {
  readonly server: string;
  readonly tool: string;
  readonly hash: string;
}

/** What a skill was checked against when it was saved. */
export interface SkillDependencies {
  readonly tools: readonly ToolDependency[];
  /** The skills that it imports, in the version of that time. */
  readonly skills: readonly { readonly name: string; readonly version: number }[];
}

/** One version of a skill as it is kept. */
export interface SkillVersion {
  readonly name: string;
  /** Counts the versions of a name, whoever saved them. */
  readonly version: number;
  readonly principal: string;
  readonly state: SkillState;
  readonly description: string;
  readonly code: string;
  readonly exports: readonly SkillExport[];
  readonly depends: SkillDependencies;
  /** SHA-256 of what it depends on: the same for as long as its tools and the skills that it imports were. */
  readonly dependsHash: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  /** When the operator approved or rejected it. */
  readonly decidedAt?: number;
}

/** A version that is not kept yet. */
export type NewSkill = Pick<SkillVersion, 'name' | 'principal' | 'description' | 'code' | 'exports' | 'depends'>;
