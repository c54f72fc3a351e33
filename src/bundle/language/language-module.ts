import { readPackageJson } from './cldr.ts';
import { dateText } from './date-texts.ts';
import { formatJsData } from './formatjs-data.ts';
import { readLocaleTags, type LocaleTags } from './locale-tags.ts';
import { metazonesText } from './metazones.ts';
import { ZONE_LINKS, ZONES } from './time-zone-data.ts';

/** The `language` of the config. */
export interface Language {
  readonly locales: readonly string[];
  readonly timeZones: 'all' | readonly string[];
}

interface LocaleTexts {
  readonly texts: Readonly<Record<string, string>>;
  readonly plurals: string;
  readonly plain: readonly [decimal: string, group: string, minus: string, least: number] | undefined;
}

const CYCLES: Readonly<Record<string, string>> = { h: 'h12', H: 'h23', K: 'h11', k: 'h24' };

/** The module `ampoule:language` of the guest: the data of the locales and time zones that are named. The same for the same names. */
export async function languageModule({ locales: named, timeZones }: Language): Promise<string> {
  const [tags, facts, { supplemental }] = await Promise.all([
    readLocaleTags(),
    readFacts(),
    readPackageJson<{ supplemental: { numberingSystems: Record<string, { _digits?: string }> } }>(
      'cldr-core',
      'supplemental/numberingSystems.json',
    ),
  ]);
  const locales = [...new Set(named.map((tag) => tags.dataOf(tag)))];
  const all = await Promise.all(locales.map((locale) => localeTexts(locale, tags, facts)));
  const texts = ['date', 'number', 'list', 'relative', 'names'].map((kind) => {
    const byLocale = locales.map((locale, i) => `${JSON.stringify(locale)}:${textLiteral(all[i]?.texts[kind] ?? '{}')}`);
    return `${kind}:{${byLocale.join()}}`;
  });
  const digits = Object.entries(supplemental.numberingSystems).flatMap(([name, { _digits }]) =>
    _digits === undefined ? [] : [[name, _digits]],
  );
  const zones = chosenZones(timeZones);
  return [
    `export const DEFAULT_LOCALE=${JSON.stringify(named[0])};`,
    `export const LOCALES=${JSON.stringify(locales.map((tag) => ({ tag, tags: tags.sameAs(tag) })))};`,
    `export const TEXTS={${texts.join()}};`,
    `export const PLURALS={${locales.map((locale, i) => `${JSON.stringify(locale)}:${all[i]?.plurals}`).join()}};`,
    `export const PLAIN_NUMBERS=${JSON.stringify(Object.fromEntries(locales.map((locale, i) => [locale, all[i]?.plain])))};`,
    `export const NUMBERING_SYSTEMS=${textLiteral(JSON.stringify(Object.fromEntries(digits)))};`,
    `export const METAZONES=${textLiteral(await metazonesText(new Set(zones.lines.map((line) => line.slice(0, line.indexOf('|'))))))};`,
    `export const ZONES=${textLiteral(zones.lines.join('\n'))};`,
    `export const ZONE_LINKS=${textLiteral(zones.links.join('\n'))};`,
  ].join('\n');
}

async function localeTexts(locale: string, tags: LocaleTags, facts: Facts): Promise<LocaleTexts> {
  const [number, plurals, list, relative, names] = await Promise.all([
    formatJsData('NumberFormat', locale) as Promise<NumberData>,
    formatJsData('PluralRules', locale),
    formatJsData('ListFormat', locale),
    formatJsData('RelativeTimeFormat', locale),
    formatJsData('DisplayNames', locale),
  ]);
  const numberingSystem = number.nu[0] ?? 'latn';
  const date = await dateText(locale, {
    numberingSystem,
    decimal: number.numbers.symbols[numberingSystem]?.decimal ?? '.',
    hourCycle: CYCLES[facts.preferredHour(locale, tags.regionOf(locale))] ?? 'h23',
    periodRules: facts.periodRules(locale),
  });
  const texts = Object.fromEntries(Object.entries({ number, list, relative, names }).map(([kind, data]) => [kind, JSON.stringify(data)]));
  return { texts: { ...texts, date }, plurals: pluralsCode(plurals as PluralData), plain: plainNumbers(number, numberingSystem) };
}

interface NumberData {
  readonly nu: readonly string[];
  readonly numbers: {
    readonly symbols: Readonly<Record<string, { readonly decimal: string; readonly group: string; readonly minusSign: string }>>;
    readonly decimal: Readonly<Record<string, { readonly standard?: string }>>;
    readonly minimumGroupingDigits?: number;
  };
}

/** What it takes to write a number with no options; undefined where it takes more. */
function plainNumbers({ numbers }: NumberData, system: string): LocaleTexts['plain'] {
  const { decimal, group, minusSign } = numbers.symbols[system] ?? {};
  const isPlain = system === 'latn' && numbers.decimal[system]?.standard === '#,##0.###';
  return isPlain && decimal !== undefined && group !== undefined && minusSign !== undefined
    ? [decimal, group, minusSign, numbers.minimumGroupingDigits ?? 1]
    : undefined;
}

interface PluralData {
  readonly fn: (...args: unknown[]) => string;
}

/** Plural rules are data and one function. */
function pluralsCode({ fn, ...data }: PluralData): string {
  return `{...${JSON.stringify(data)},fn:${fn.toString()}}`;
}

interface Facts {
  preferredHour(locale: string, region: string): string;
  periodRules(locale: string): [string, number, number][];
}

async function readFacts(): Promise<Facts> {
  const [times, periods] = await Promise.all([
    readPackageJson<{ supplemental: { timeData: Record<string, { _preferred: string }> } }>('cldr-core', 'supplemental/timeData.json'),
    readPackageJson<{ supplemental: { dayPeriodRuleSet: Record<string, Record<string, Record<string, string>>> } }>(
      'cldr-core',
      'supplemental/dayPeriods.json',
    ),
  ]);
  const { timeData } = times.supplemental;
  const { dayPeriodRuleSet } = periods.supplemental;
  return {
    preferredHour: (locale, region) => {
      const own =
        timeData[`${locale.split('-')[0]}-${region}`] ??
        timeData[`${locale.split('-')[0]}_${region}`] ??
        timeData[region] ??
        timeData['001'];
      return own?._preferred ?? 'H';
    },
    periodRules: (locale) => {
      const rules = dayPeriodRuleSet[locale] ?? dayPeriodRuleSet[locale.split('-')[0] ?? ''] ?? {};
      return Object.entries(rules).map(([name, rule]) => [
        name,
        minutes(rule['_at'] ?? rule['_from']),
        minutes(rule['_at'] ?? rule['_before']),
      ]);
    },
  };
}

function minutes(text = '0:0'): number {
  const [hours = 0, rest = 0] = text.split(':').map(Number);
  return hours * 60 + rest;
}

function chosenZones(timeZones: Language['timeZones']): { lines: readonly string[]; links: readonly string[] } {
  if (timeZones === 'all') return { lines: ZONES, links: ZONE_LINKS };
  const wanted = new Set(['utc', ...timeZones.map((name) => name.toLowerCase())]);
  const links = ZONE_LINKS.filter((link) => wanted.has((link.split(' ')[0] ?? '').toLowerCase()) || link.endsWith(' UTC'));
  const primary = new Set([...wanted, ...links.map((link) => (link.split(' ')[1] ?? '').toLowerCase())]);
  return { lines: ZONES.filter((line) => primary.has(line.slice(0, line.indexOf('|')).toLowerCase())), links };
}

/**
 * A text as a string literal. An engine keeps a text in one byte for each character when none is above U+00FF: where most are below,
 * those above are escaped, which JSON takes back.
 */
function textLiteral(text: string): string {
  const escaped = text.replace(/[^\0-\xff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return JSON.stringify(escaped.length < text.length * 2 ? escaped : text);
}
