import { type Diagnostic, SandboxError, type SourceLocation } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { closureOf, drawCircle, MAX_MODULES } from './closure.ts';
import { importLineOf } from './import-line.ts';
import type { ModuleUse, SkillDependencies, SkillExport, SkillVersion } from './skill.ts';
import { checkSkillName, skillNameOf } from './skill-name.ts';
import { importsOf, type SkillSet, skillSet } from './skill-set.ts';
import type { SkillStore } from './skill-store.ts';
import { toolsIn } from './tool-hashes.ts';

/** Characters: enough for a paragraph, little enough for a list of search results. */
export const MAX_DESCRIPTION = 1_000;

export interface SaveSkillRequest {
  readonly name: string;
  readonly description: string;
  /** TypeScript module code. */
  readonly code: string;
}

/** A kept version, as far as whoever saved it has to know. */
export interface SavedSkill extends Pick<SkillVersion, 'name' | 'version' | 'state'> {
  /** `import { triage } from "skills/triage";`. */
  readonly importLine: string;
  /** The version that is in use while this one waits. */
  readonly inUse?: number;
  /** What the check found and the operator lets pass. */
  readonly warnings: readonly Diagnostic[];
}

/** Code that the bundler has read, as far as it is of interest here. */
export interface ParsedModule {
  readonly text: string;
  readonly sources: { readonly lines: { locationAt(offset: number): SourceLocation } };
  readonly scan: {
    readonly exports: readonly SkillExport[];
    readonly uses: readonly ModuleUse[];
    readonly calls: readonly (readonly [server: string, tool: string])[];
    readonly sites: readonly { readonly specifier: string; readonly offset: number }[];
  };
}

interface ModuleCode {
  readonly code: string;
  readonly wrappers: WrapperSet;
  readonly skills: SkillSet | undefined;
}

/** The stages that a skill goes through before it is kept. */
export interface SaveStages<Parsed extends ParsedModule> {
  readonly store: SkillStore;
  readonly limits: Pick<Limits, 'maxSkillBytes'>;
  readonly wrappers: () => WrapperSet;
  readonly bundler: {
    readModule(code: string, signal: AbortSignal): Promise<Parsed>;
    tryModule(source: ModuleCode & { readonly module: Parsed }, signal: AbortSignal): Promise<void>;
  };
  /** What the check found and may pass. @throws SandboxError ERR_CHECK_* when it may not */
  readonly check: (source: ModuleCode, signal: AbortSignal) => Promise<readonly Diagnostic[]>;
}

/**
 * Reads, bundles and checks a module, and only then keeps it.
 * @throws SandboxError ERR_SKILL_*, ERR_BUNDLE_*, ERR_CHECK_*, with positions in the code as it was sent
 */
export async function saveSkill<Parsed extends ParsedModule>(
  stages: SaveStages<Parsed>,
  request: SaveSkillRequest,
  principal: string,
  signal: AbortSignal,
): Promise<SavedSkill> {
  const { store, bundler } = stages;
  const { name, description, code } = request;
  checkRequest(request, stages);
  const module = await bundler.readModule(code, signal);
  const skills = importedSkills(name, module, store, principal);
  const source = { code, wrappers: stages.wrappers(), skills };
  await bundler.tryModule({ ...source, module }, signal);
  const warnings = await stages.check(source, signal);
  const depends = dependencies(module, source);
  const saved = store.save({ name, principal, description: description.trim(), code: module.text, exports: module.scan.exports, depends });
  const inUse = saved.state === 'waiting' ? store.find(name, principal)?.version : undefined;
  const importLine = importLineOf(saved);
  return { name, version: saved.version, state: saved.state, importLine, warnings, ...(inUse !== undefined && { inUse }) };
}

function checkRequest(
  { name, description, code }: SaveSkillRequest,
  { store, limits }: Pick<SaveStages<ParsedModule>, 'store' | 'limits'>,
): void {
  if (store.mode === 'off') throw new SandboxError('ERR_SKILL_OFF', 'Skills cannot be saved here.');
  checkSkillName(name);
  const { length } = description.trim();
  if (length === 0 || length > MAX_DESCRIPTION) {
    throw new SandboxError('ERR_SKILL_INVALID', `The description has ${length} characters; 1 to ${MAX_DESCRIPTION} are allowed.`, {
      hint: 'Say in a sentence or two what the skill does: that is what search_tools finds it by.',
    });
  }
  const bytes = Buffer.byteLength(code);
  if (bytes <= limits.maxSkillBytes) return;
  throw new SandboxError('ERR_SKILL_INVALID', `The code has ${bytes} bytes; a skill may have ${limits.maxSkillBytes}.`, {
    hint: 'Make it two skills, one of which imports the other.',
  });
}

/** What the module imports, with all that this imports; names that there are not are left to the bundler to explain. */
function importedSkills(name: string, module: ParsedModule, store: SkillStore, principal: string): SkillSet | undefined {
  const names = skillNames(module);
  if (names.length === 0 && !module.scan.sites.some(({ specifier }) => specifier.startsWith('skills'))) return undefined;
  const { found, circle, isTooLarge } = closureOf(names, (next) => store.find(next, principal), importsOf, name);
  if (circle !== undefined) throw circular(circle, module);
  if (isTooLarge) {
    throw new SandboxError('ERR_SKILL_INVALID', `With those that it imports it needs more than ${MAX_MODULES} skills.`, {
      hint: 'Import fewer skills, or put the code of some into this one.',
    });
  }
  return skillSet(found.values(), () => store.names(principal));
}

function circular(circle: readonly string[], { scan, sources }: ParsedModule): SandboxError {
  const site = scan.sites.find(({ specifier }) => skillNameOf(specifier) === circle[1]);
  const isDirect = circle.length === 2;
  const message = isDirect
    ? `The skill "${circle[0]}" imports itself.`
    : `Skills would import each other in a circle: ${drawCircle(circle)}.`;
  return new SandboxError('ERR_SKILL_INVALID', message, {
    hint: isDirect ? 'Call its own functions by their names, without an import.' : 'Put what both need into a skill of its own.',
    ...(site && { location: sources.lines.locationAt(site.offset) }),
  });
}

function skillNames({ scan }: ParsedModule): string[] {
  return [...new Set(scan.sites.map(({ specifier }) => skillNameOf(specifier)))].filter((name) => name !== undefined);
}

function dependencies(module: ParsedModule, { wrappers, skills }: ModuleCode): SkillDependencies {
  const { uses, calls } = module.scan;
  const versions = skillNames(module).flatMap((name) => skills?.modules.get(name) ?? []);
  return { tools: toolsIn(uses, calls, wrappers), skills: versions.map(({ name, version }) => ({ name, version })) };
}
