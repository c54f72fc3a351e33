import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/errors.ts';
import { ERROR_HINTS } from '../src/result/error-hints.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Where codes are listed, and not thrown. */
const LISTS = new Set(['src/errors.ts', 'src/result/error-hints.ts']);
/** A code that is only compared with, or only part of a type, is not thrown there. */
const NOT_A_USE = /(?:[!=]==|\bcase)\s*'ERR_[A-Z_]+'|Extract<[^>]*>/g;

const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(ERR_[A-Z_]+)` \| (.+) \| (.+) \| (.+) \|$/gm)];
const documented = rows.map(([, code = '']) => code);

test('every code has one row in docs/errors.md, in the order of src/errors.ts', () => {
  expect(documented).toEqual([...ERROR_CODES]);
});

test('every row says when, what to do and who sees it', () => {
  const empty = rows.filter(([, , ...cells]) => cells.some((cell) => cell.trim() === ''));
  expect(empty).toEqual([]);
  expect(rows.filter(([, , , , who]) => !/^(?:operator|agent|program)(?:, operator)?$/.test(who ?? '')).map(([, code]) => code)).toEqual(
    [],
  );
});

test('docs/errors.md names no code that does not exist', () => {
  expect(codesIn(page).filter((code) => !isCode(code))).toEqual([]);
});

test('no other page of the documentation names a code that does not exist', () => {
  const pages = ['README.md', ...filesBelow('docs', '.md')];
  const unknown = pages.flatMap((file) => codesIn(readFileSync(join(ROOT, file), 'utf8')).map((code) => [file, code] as const));
  expect(unknown.filter(([, code]) => !isCode(code) && !code.endsWith('_'))).toEqual([]);
});

test('every code has an entry among the hints', () => {
  expect(Object.keys(ERROR_HINTS).sort()).toEqual([...ERROR_CODES].sort());
});

test('every code that an agent or a program can see has a hint', () => {
  const seen = rows.filter(([, , , , who = '']) => /agent|program/.test(who)).map(([, code = '']) => code);
  expect(seen.filter((code) => isCode(code) && ERROR_HINTS[code] === undefined)).toEqual([]);
});

test('every code is thrown or returned somewhere', () => {
  const used = new Set(
    [...filesBelow('src', '.ts'), ...filesBelow('host-functions', '.ts')].filter((file) => !LISTS.has(file)).flatMap(usedIn),
  );
  // The fallback of toSandboxError.
  used.add('ERR_INTERNAL');
  expect(ERROR_CODES.filter((code) => !used.has(code))).toEqual([]);
});

test('no code is used that is not in the list', () => {
  const files = [...filesBelow('src', '.ts'), ...filesBelow('host-functions', '.ts')];
  const unknown = files.flatMap((file) => usedIn(file).map((code) => [file, code] as const)).filter(([, code]) => !isCode(code));
  expect(unknown).toEqual([]);
});

function isCode(text: string): text is (typeof ERROR_CODES)[number] {
  return (ERROR_CODES as readonly string[]).includes(text);
}

function codesIn(text: string): string[] {
  return [...new Set(text.match(/\bERR_[A-Z_]+/g) ?? [])];
}

/** Codes in string literals of code, not of comments. */
function usedIn(file: string): string[] {
  const code = readFileSync(join(ROOT, file), 'utf8')
    .replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replaceAll(NOT_A_USE, '');
  return [...code.matchAll(/['"`](ERR_[A-Z_]*[A-Z])\b/g)].map(([, found = '']) => found);
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}
