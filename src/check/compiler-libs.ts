import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';

export type EngineKind = Config['engine'];

/** The language as the engines have it: more than one edition of the standard, and less than TypeScript declares for it. */
const LANGUAGE_LIBS = ['es2025', 'array', 'collection', 'date', 'disposable', 'error', 'intl', 'temporal', 'typedarrays'].map((name) =>
  name.startsWith('es') ? name : `esnext.${name}`,
);

/** `SharedArrayBuffer` and `Atomics`, which the engines do not have. */
const SHARED_MEMORY = /\.sharedmemory$/u;

/** What TypeScript declares and an engine does not have; `test/check/library.test.ts` holds the two together. */
interface Absent {
  /** Values of the namespace `Intl`; their types stay, other declarations need them. */
  readonly intl: readonly string[];
  /** Members of interfaces, as `Interface.member`. */
  readonly members: readonly string[];
}

const OUTDATED = ['input', '$_', 'lastMatch', '$&', 'lastParen', '$+', 'leftContext', '$`', 'rightContext', "$'"];
const GROUPS = Array.from({ length: 9 }, (_, at) => `$${at + 1}`);

const ABSENT: Readonly<Record<EngineKind, Absent>> = {
  quickjs: {
    intl: ['DurationFormat'],
    members: [...GROUPS, ...OUTDATED].map((name) => `RegExpConstructor.${name}`),
  },
  starlingmonkey: { intl: ['DurationFormat'], members: [] },
};

/** A value in a namespace: its text, and its name in one of the groups. */
const NAMESPACE_VALUES = /^ {4}(?:(?:var|const) (\w+): \{$[\s\S]*?^ {4}\};?$|(?:var|const|function) (\w+)[:(<][^;]*;$)/gmu;
/** A lib file by its name in a `/// <reference lib="..." />`. */
const REFERENCE = /^\/\/\/ *<reference lib="([\w.]+)" *\/>.*$/gmu;

/** TypeScript's declarations of the language: one script, and the few that are modules. */
export interface LanguageTypes {
  readonly script: string;
  readonly modules: readonly string[];
}

/**
 * The declarations of the language for an engine. As a hundred files they would be merged into one another at every check, which is
 * most of what a check costs.
 * @throws when the compiler's folder does not have them
 */
export function languageTypes(compilerFolder: string, engine: EngineKind): LanguageTypes {
  const seen = new Set<string>();
  const [scripts, modules]: [string[], string[]] = [[], []];
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(join(compilerFolder, `lib.${name}.d.ts`), 'utf8');
    for (const match of text.matchAll(REFERENCE)) if (!SHARED_MEMORY.test(match[1] ?? '')) add(match[1] ?? '');
    const plain = withoutAbsent(text.replaceAll(/^\/\/\/.*$/gmu, ''), ABSENT[engine]);
    (/^export \{\};?$/mu.test(plain) ? modules : scripts).push(plain);
  };
  for (const name of LANGUAGE_LIBS) add(name);
  return { script: scripts.join('\n'), modules };
}

function withoutAbsent(text: string, { intl, members }: Absent): string {
  const plain = text.replaceAll(/^declare namespace Intl \{$[\s\S]*?^\}$/gmu, (namespace) =>
    namespace.replaceAll(NAMESPACE_VALUES, (value, literal?: string, other?: string) =>
      intl.includes(literal ?? other ?? '') ? '' : value,
    ),
  );
  return plain.replaceAll(/^ *interface (\w+)(?:<[^{]*>)?(?: extends [^{]*)? \{$[\s\S]*?^ *\}$/gmu, (declaration, name: string) =>
    members.reduce(
      (rest, member) => (member.startsWith(`${name}.`) ? withoutMember(rest, member.slice(name.length + 1)) : rest),
      declaration,
    ),
  );
}

/** An interface's text without the lines of a member. */
function withoutMember(text: string, member: string): string {
  const escaped = member.replaceAll(/[$+]/gu, String.raw`\$&`);
  return text.replaceAll(new RegExp(String.raw`^ +(?:readonly )?(?:"${escaped}"|${escaped})[?(:<][^;]*;$`, 'gmu'), '');
}
