import { type Diagnostic, type ErrorCode, SandboxError, type SourceLocation } from '../errors.ts';
import { AMPOULE_EXPORTS } from './ampoule-module.ts';
import { ENTRY_FILE } from './esbuild.ts';
import type { BuildMessage } from './module-source.ts';
import { libraryOf } from './library-files.ts';
import { nearestNames } from '../nearest-name.ts';
import { valuesOf } from './skill-values.ts';
import { skillOf } from './skill-places.ts';
import { type ModuleWorld, printable, quotedList } from './specifiers.ts';

/** More are not told. To find the place of each in a long line takes its time. */
export const MAX_DIAGNOSTICS = 10;

/** One thing that is wrong with the agent's code, ready to be shown. */
export interface Finding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly location?: SourceLocation | undefined;
}

/** One error for all findings: code, message, hint and position of the first, the others as diagnostics. */
export function toBundleError(findings: readonly Finding[], cause?: unknown): SandboxError {
  const [first] = findings;
  if (first === undefined) return new SandboxError('ERR_BUNDLE_FAILED', 'The bundler failed without a reason.', { cause });
  const diagnostics: Diagnostic[] = findings
    .slice(0, MAX_DIAGNOSTICS)
    .map(({ message, location }) => (location === undefined ? { message } : { message, location }));
  return new SandboxError(first.code, first.message, {
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    ...(first.location === undefined ? {} : { location: first.location }),
    diagnostics,
    cause,
  });
}

/** esbuild's messages in our words. `locate` gives the agent's position of a message. */
export function readMessages(
  messages: readonly BuildMessage[],
  world: ModuleWorld,
  locate: (message: BuildMessage) => SourceLocation | undefined,
): Finding[] {
  return messages.slice(0, MAX_DIAGNOSTICS).map((message) => ({ ...readOwnMessage(message, world), location: locate(message) }));
}

/** What is wrong inside of a skill is told as the skill's. */
function readOwnMessage(message: BuildMessage, world: ModuleWorld): Finding {
  const skill = skillOf(message.file);
  const finding = readMessage(skill === undefined ? message : { ...message, file: ENTRY_FILE }, world);
  if (skill === undefined) return finding;
  const hint = `${finding.hint === undefined ? '' : `${finding.hint} `}Save a corrected version of "skills/${skill}" with save_skill, or do without it.`;
  return { ...finding, message: `The skill "${skill}": ${finding.message}`, hint };
}

function readMessage(message: BuildMessage, world: ModuleWorld): Finding {
  const missing =
    /^(?:No matching export in|Import) "(.+)" (?:for import|will always be undefined because there is no matching export in) "(.+)"$/u.exec(
      message.text,
    );
  if (message.file === ENTRY_FILE && message.refusal?.aboutLibrary !== true) {
    if (message.refusal !== undefined) return { code: 'ERR_BUNDLE_IMPORT', ...message.refusal };
    if (missing?.[1] !== undefined && missing[2] !== undefined) {
      return message.text.startsWith('No') ? explainMissing(missing[1], missing[2], world) : explainMissing(missing[2], missing[1], world);
    }
    return { code: 'ERR_BUNDLE_SYNTAX', message: sentence(message.text) };
  }
  return explainLibrary(message);
}

function explainMissing(module: string, name: string, world: ModuleWorld): Finding {
  const names = exportsOf(module, world);
  const specifier = specifierOf(module);
  const near = nearestNames(name, names);
  const suggestion = near.length === 0 ? '' : ` Did you mean ${near.map((candidate) => `"${candidate}"`).join(' or ')}?`;
  const hint = names.length === 0 ? undefined : `It exports ${quotedList(names)}.`;
  return { code: 'ERR_BUNDLE_IMPORT', message: `"${specifier}" has no export "${printable(name)}".${suggestion}`, hint };
}

function exportsOf(module: string, world: ModuleWorld): readonly string[] {
  if (module.startsWith('ampoule:')) return AMPOULE_EXPORTS;
  const skill = world.skills?.modules.get(skillOf(module) ?? '');
  if (skill !== undefined) return valuesOf(skill);
  const path = module.startsWith('servers:') ? module.slice('servers:'.length) : '';
  const text = world.files.get(path) ?? '';
  const names = new Set<string>();
  for (const match of text.matchAll(/^export\s+(?:async\s+)?(?:function|const|class)\s+([\w$]+)/gmu)) names.add(match[1] ?? '');
  for (const match of text.matchAll(/^export\s*\{([^}]*)\}/gmu)) {
    for (const part of (match[1] ?? '').split(',')) {
      const name = /(?:\bas\s+)?([\w$]+)\s*$/u.exec(part)?.[1];
      if (name !== undefined && !/^\s*type\s/u.test(part)) names.add(name);
    }
  }
  for (const match of text.matchAll(/^export\s*\*\s*from\s*['"]\.\/([\w./-]+?)(?:\.ts|\.js)?['"]/gmu)) {
    const next = `${path.slice(0, path.lastIndexOf('/') + 1)}${match[1] ?? ''}.ts`;
    if (next !== path) for (const name of exportsOf(`servers:${next}`, world)) names.add(name);
  }
  return [...names];
}

function specifierOf(module: string): string {
  if (module.startsWith('ampoule:')) return 'ampoule';
  if (skillOf(module) !== undefined) return `skills/${skillOf(module)}`;
  if (module.startsWith('servers:')) return `servers/${module.slice('servers:'.length).replace(/(?:\/index)?\.ts$/u, '')}`;
  return libraryOf(module) ?? module;
}

function explainLibrary(message: BuildMessage): Finding {
  const missing = /^Could not resolve "(.+)"$/u.exec(message.text)?.[1];
  const library = libraryOf(message.file);
  const name = library === undefined ? 'A library' : `The library "${library}"`;
  const reason =
    missing === undefined
      ? (message.refusal?.message ?? 'it does not parse')
      : `it imports "${printable(missing)}", which does not exist in the sandbox`;
  return { code: 'ERR_BUNDLE_IMPORT', message: `${name} cannot be used: ${reason}.`, hint: 'Use another library, or a tool of a server.' };
}

/** A message of esbuild as a sentence. */
export function sentence(text: string): string {
  // Paths of modules in the texts of esbuild are ours, not the agent's.
  const plain = text
    .replaceAll(ENTRY_FILE, 'the code')
    .replace(/ \(see .*\)$/u, '')
    .replace(/:$/u, '');
  return /[.!?]$/u.test(plain) ? plain : `${plain}.`;
}
