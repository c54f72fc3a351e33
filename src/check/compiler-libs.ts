import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The language as the engines have it: more than one edition of the standard, and less than TypeScript declares for it. */
const LANGUAGE_LIBS = ['es2025', 'esnext.array', 'esnext.collection', 'esnext.disposable', 'esnext.error', 'esnext.typedarrays'];

/** `SharedArrayBuffer` and `Atomics`, which the engines do not have. */
const SHARED_MEMORY = /\.sharedmemory$/u;
/** The values of `Intl`, which the engines do not have; its types stay, other declarations need them. */
const INTL_VALUES = /^ {4}(?:(?:var|const) \w+: \{$[\s\S]*?^ {4}\};?$|(?:var|const|function) \w+[:(][^;]*;$)/gmu;

/** A lib file by its name in a `/// <reference lib="..." />`. */
const REFERENCE = /^\/\/\/ *<reference lib="([\w.]+)" *\/>.*$/gmu;

/**
 * TypeScript's declarations of the language: one script, and the few that are modules. As a hundred files they would be merged into one another at every
 * check, which is most of what a check costs.
 * @throws when the compiler's folder does not have them
 */
export function languageTypes(compilerFolder: string): { readonly script: string; readonly modules: readonly string[] } {
  const seen = new Set<string>();
  const [scripts, modules]: [string[], string[]] = [[], []];
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(join(compilerFolder, `lib.${name}.d.ts`), 'utf8');
    for (const match of text.matchAll(REFERENCE)) if (!SHARED_MEMORY.test(match[1] ?? '')) add(match[1] ?? '');
    const plain = withoutIntlValues(text.replaceAll(/^\/\/\/.*$/gmu, ''));
    (/^export \{\};?$/mu.test(plain) ? modules : scripts).push(plain);
  };
  for (const name of LANGUAGE_LIBS) add(name);
  return { script: scripts.join('\n'), modules };
}

function withoutIntlValues(text: string): string {
  return text.replaceAll(/^declare namespace Intl \{$[\s\S]*?^\}$/gmu, (namespace) => namespace.replaceAll(INTL_VALUES, ''));
}
