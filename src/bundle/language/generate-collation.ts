/**
 * Writes `collation-data.ts` into the guest, from the root collation of the ICU in the Node that runs it:
 * `node src/bundle/language/generate-collation.ts`. The same Node writes the same bytes.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findPackageJSON } from 'node:module';

/** What is in the table: Latin, Greek, Cyrillic, Armenian, Hebrew, Georgian, kana, and what is punctuation or a symbol. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x0009, 0x05ff],
  [0x10a0, 0x10ff],
  [0x1c80, 0x1cbf],
  [0x1d00, 0x23ff],
  [0x2460, 0x27bf],
  [0x2c60, 0x2c7f],
  [0x2de0, 0x2e4f],
  [0x3000, 0x30ff],
  [0xa640, 0xa69f],
  [0xa720, 0xa7ff],
  [0xfb00, 0xfb06],
  [0xff01, 0xff65],
];
const BEYOND_TABLE = '\u4e00';

const base = new Intl.Collator('en', { sensitivity: 'base' });
const accent = new Intl.Collator('en', { sensitivity: 'accent' });
const variant = new Intl.Collator('en', { sensitivity: 'variant' });
const shifted = new Intl.Collator('en', { sensitivity: 'base', ignorePunctuation: true });

const assigned = RANGES.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i))).filter(
  (char) => /\P{Cn}/u.test(char),
);

/** Nothing at all to the order, as a control character. */
const isIgnored = (char: string): boolean => variant.compare(`a${char}b`, 'ab') === 0;
/** Alone it weighs nothing at the first level, but it does at the second. */
const isMark = (char: string): boolean => !isIgnored(char) && base.compare(`a${char}b`, 'ab') === 0;

const ignored = assigned.filter(isIgnored);
const marks = assigned.filter((char) => isMark(char) && char.normalize('NFD') === char);
const others = assigned.filter((char) => !isIgnored(char) && !isMark(char));
/** Characters that are nothing but their parts. */
const isDecomposed = (char: string): boolean =>
  char.normalize('NFD') !== char &&
  variant.compare(char, 'x') === variant.compare(char.normalize('NFD'), 'x') &&
  base.compare(char, stripped(char)) === 0;
const stripped = (char: string): string => char.normalize('NFD').replace(/\p{M}/gu, '');

const letters = others.filter((char) => !isDecomposed(char));
const expansions: [string, string, string][] = [];
const simple: string[] = [];
for (const char of letters) {
  const expansion = expansionOf(char);
  if (expansion === undefined) simple.push(char);
  else expansions.push([char, expansion, level(char, expansion)]);
}

/** What a character is written with when it counts as several, or as another one with a mark. */
function expansionOf(char: string): string | undefined {
  // Two characters that weigh as a third: in the order as that.
  if (char.normalize('NFD') !== char) return undefined;
  const plain = char.normalize('NFKD');
  if (
    plain.length > 1 &&
    plain.length < 8 &&
    !/\s/.test(plain) &&
    base.compare(char, plain) === 0 &&
    Array.from(plain).every((part) => !isIgnored(part))
  ) {
    return plain;
  }
  if (!/\p{L}/u.test(char)) return undefined;
  const ascii = 'abcdefghijklmnopqrstuvwxyz';
  const cased = (text: string): string => (char === char.toLowerCase() ? text : text.toUpperCase());
  for (const one of ascii) {
    if (base.compare(char, one) === 0) return withMark(char, cased(one));
    if (base.compare(char, one) < 0 || base.compare(char, `${one}zz`) > 0) continue;
    for (const two of ascii) if (base.compare(char, one + two) === 0) return cased(one + two);
  }
  return undefined;
}

function withMark(char: string, letter: string): string | undefined {
  if (accent.compare(char, letter) === 0) return undefined;
  const mark = marks.find((candidate) => accent.compare(char, letter + candidate) === 0);
  return mark === undefined ? undefined : letter + mark;
}

/** At which level a character differs from what it is written with. */
function level(char: string, expansion: string): string {
  if (accent.compare(char, expansion) !== 0) return '2';
  return variant.compare(char, expansion) === 0 ? '1' : '3';
}

/** Sorted, with a separator for each level at which a character differs from the one before it. */
function written(chars: readonly string[]): string {
  const sorted = chars.toSorted((a, b) => variant.compare(a, b) || (a < b ? -1 : 1));
  let text = '';
  let last: string | undefined;
  for (const char of sorted) {
    if (last === undefined || base.compare(last, char) !== 0) text += '\n';
    else if (accent.compare(last, char) !== 0) text += '\t';
    else if (variant.compare(last, char) === 0) text += '\b';
    text += char;
    last = char;
  }
  return text.slice(1);
}

function markOrder(): string {
  const sorted = marks.toSorted((a, b) => accent.compare(`a${a}`, `a${b}`) || (a < b ? -1 : 1));
  return sorted.map((mark, i) => (i > 0 && accent.compare(`a${sorted[i - 1]}`, `a${mark}`) === 0 ? `\b${mark}` : mark)).join('');
}

/** The languages whose order is not the root's, with their own letters. */
function tailored(): string[] {
  const manifest = findPackageJSON('cldr-dates-full', import.meta.url);
  const locales = readdirSync(join(dirname(manifest ?? ''), 'main')).filter(
    (locale) => Intl.Collator.supportedLocalesOf([locale]).length > 0,
  );
  const probes = [
    ...simple,
    ...'ch ll dz dž lj nj gy ly ny sz ty zs cs aa ij'.split(' '),
    ...assigned.filter((char) => isDecomposed(char)),
  ].sort(variant.compare);
  return locales.filter((locale) => {
    const own = new Intl.Collator(locale, { ignorePunctuation: false, caseFirst: 'false' });
    return probes.some(
      (probe, i) => i > 0 && Math.sign(own.compare(probes[i - 1] ?? '', probe)) !== Math.sign(variant.compare(probes[i - 1] ?? '', probe)),
    );
  });
}

const symbols = simple.filter((char) => base.compare(char, BEYOND_TABLE) < 0).toSorted(variant.compare);
const firstSymbol = symbols.find((char) => shifted.compare(`a${char}b`, 'ab') !== 0) ?? '';
const literal = (text: string): string => `'${text.replace(/[\\'\n\t\b]|[^ -~]/g, escapeChar)}'`;

function escapeChar(char: string): string {
  const known: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\b': '\\b', '\\': '\\\\', "'": "\\'" };
  return known[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

writeFileSync(
  new URL('../../../host-functions/guest/intl/collation-data.ts', import.meta.url),
  `// Generated by src/bundle/language/generate-collation.ts from the root collation of ICU ${process.versions.icu ?? ''} - do not edit.
/** Characters in their order: each line has another weight of the first level, a tab one of the second, \\b none of any. */
export const ORDER: string =
  ${literal(written(simple.filter((char) => base.compare(char, BEYOND_TABLE) < 0)))};
/** Marks in the order of the second level; \\b stands before one that weighs what the one before it does. */
export const MARKS: string = ${literal(markOrder())};
export const IGNORED: string = ${literal(ignored.join(''))};
/** A character, at which level it differs from what it is written with, and that. */
export const EXPANSIONS: string =
  ${literal(expansions.map(([char, text, at]) => char + at + text).join('\n'))};
/** Spaces and punctuation come before it. */
export const FIRST_SYMBOL: string = ${literal(firstSymbol)};
/** Locales with letters in an order of their own. */
export const OTHER_ORDERS: string =
  '${tailored().join(' ')}';
`,
);
