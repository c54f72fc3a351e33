import type { TrustedOptions } from '../trusted-options.ts';
import { readPackageJson } from './cldr.ts';

/**
 * What a table of a package becomes: nothing, since we register locales ourselves; text, which is parsed when it is used; or the same
 * for the languages that CLDR has data of, since the others are ten times as many.
 */
type Fate = 'empty' | 'lazy' | 'known';

/** The large tables of FormatJS's packages: by package, their constants at the top. */
const TABLES: Readonly<Record<string, Readonly<Record<string, Fate>>>> = {
  'intl-getcanonicallocales': { languageAlias: 'lazy', territoryAlias: 'lazy', subdivisionAlias: 'lazy', likelySubtags: 'known' },
  'intl-locale': {
    characterOrders: 'lazy',
    numberingSystems: 'lazy',
    timezones: 'lazy',
    hourCycles: 'lazy',
    calendars: 'lazy',
    weekData: 'lazy',
  },
  'intl-pluralrules': { defaultContent: 'empty' },
  'intl-numberformat': { defaultContent: 'empty', digitMapping: 'lazy' },
  'intl-listformat': { defaultContent: 'empty' },
  'intl-displaynames': { defaultContent: 'empty' },
  'intl-relativetimeformat': { defaultContent: 'empty' },
};

/** A proxy for a table that is parsed at the first look at it. */
const LAZY = `const lazyTable = (text) => {
  let table;
  const of = () => (table ??= JSON.parse(text));
  return new Proxy({}, {
    get: (_, key) => of()[key],
    has: (_, key) => key in of(),
    ownKeys: () => Reflect.ownKeys(of()),
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(of(), key),
  });
};
`;

/**
 * Takes the large tables of FormatJS's packages out of their code: as objects they would be most of the memory of every instance.
 *
 * @throws Error when a package has another form than the one that is known.
 */
export const lightenFormatJs: NonNullable<TrustedOptions['rewrite']> = {
  files: /[\\/]@formatjs[\\/]intl-[a-z]+[\\/]index\.js$/,
  text: async (path, text) => {
    const name = /@formatjs[\\/]([a-z-]+)/.exec(path)?.[1] ?? '';
    const tables = Object.entries(TABLES[name] ?? {});
    const code =
      name === 'intl-getcanonicallocales' ? withRulesOnDemand(text) : name === 'intl-numberformat' ? withNumbersCompared(text) : text;
    const languages = await knownLanguages();
    const lighter = tables.reduce((source, [table, fate]) => withoutTable(source, table, fate, languages), code);
    return lighter.includes('lazyTable(') ? LAZY + lighter : lighter;
  },
};

const RULES = 'const languageAliasRules = Object.keys(languageAlias).reduce(';
const RULES_END = '}, Object.create(null));\nfunction canonicalizeUnicodeLanguageId(';

/** The rules for other names of languages, made for the language that is looked for and not for all. */
function withRulesOnDemand(source: string): string {
  const [before, rest = ''] = source.split(RULES);
  const [rules, after] = rest.split(RULES_END);
  if (before === undefined || rules === undefined || after === undefined) throw moved('languageAliasRules');
  return `${before}const aliasRulesOf = (lang) => Object.keys(languageAlias).filter((from) => from === lang || from.startsWith(lang + "-")).reduce(${rules}}, Object.create(null))[lang];
const languageAliasRules = new Proxy({}, { get: (_, lang) => aliasRulesOf(lang) });
function canonicalizeUnicodeLanguageId(${after}`;
}

/** Compact notation finds its thresholds by comparing texts, which makes 4e-7 of the order of trillions. */
function withNumbersCompared(source: string): string {
  const comparison = /\b(num|magnitudeKey) ([<>]) (?=thresholds\[)/g;
  if (source.match(comparison)?.length !== 4) throw moved('the comparison of thresholds');
  return source.replace(comparison, '+$1 $2 +');
}

function moved(what: string): Error {
  return new Error(`${what} is not where it was: another version of the package needs another look`);
}

let known: Promise<ReadonlySet<string>> | undefined;

function knownLanguages(): Promise<ReadonlySet<string>> {
  known ??= readPackageJson<{ availableLocales: { full: string[] } }>('cldr-core', 'availableLocales.json').then(
    ({ availableLocales }) => new Set(['und', ...availableLocales.full.map((locale) => locale.split('-')[0] ?? '')]),
  );
  return known;
}

function withoutTable(source: string, table: string, fate: Fate, languages: ReadonlySet<string>): string {
  const start = new RegExp(`^(?:const|var) ${table} = (?=\\{)`, 'm').exec(source);
  const end = start === null ? -1 : source.indexOf('\n};\n', start.index);
  if (start === null || end < 0) throw moved(table);
  const from = start.index + start[0].length;
  const literal = source.slice(from, end + 2);
  return source.slice(0, from) + replacement(literal, fate, languages) + source.slice(end + 2);
}

function replacement(literal: string, fate: Fate, languages: ReadonlySet<string>): string {
  if (fate === 'empty') return '{}';
  const entries = Object.entries(valueOf(literal));
  const kept = fate === 'known' ? entries.filter(([tag]) => languages.has(tag.split('-')[0] ?? '')) : entries;
  return `lazyTable(${JSON.stringify(JSON.stringify(Object.fromEntries(kept)))})`;
}

/** The value of a literal of our own dependency's code. */
function valueOf(literal: string): object {
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- a table of a package that is installed and locked
  return new Function(`return (${literal})`)() as object;
}
