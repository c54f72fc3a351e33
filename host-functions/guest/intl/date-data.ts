import { NUMBERING_SYSTEMS } from 'ampoule:language';
import { PatternFinder } from './pattern-finder.ts';
import { lazily } from './lazily.ts';
import { availableLocales, localeData } from './locale-data.ts';

/** Names by width: wide, abbreviated, narrow. */
type Widths<T> = readonly [wide: T, abbreviated: T, narrow: T];

/** What the bundler writes of a locale's dates: see `src/bundle/language/date-texts.ts`. */
export interface DateData {
  readonly months: Widths<readonly string[]>;
  readonly standAloneMonths: Widths<readonly string[]>;
  readonly days: Widths<readonly string[]>;
  readonly standAloneDays: Widths<readonly string[]>;
  readonly periods: Widths<Readonly<Record<string, string>>>;
  readonly standAlonePeriods: Widths<Readonly<Record<string, string>>>;
  /** Name, then the minutes of the day from and to which it is used. */
  readonly periodRules: readonly (readonly [name: string, from: number, to: number])[];
  readonly eras: Widths<readonly [before: string, since: string]>;
  /** Full, long, medium, short. */
  readonly dates: readonly string[];
  readonly times: readonly string[];
  readonly glue: readonly string[];
  readonly glueAt: readonly string[];
  readonly available: Readonly<Record<string, string>>;
  readonly intervals: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly intervalFallback: string;
  readonly append: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
  readonly decimal: string;
  readonly numberingSystem: string;
  readonly hourCycle: string;
  readonly gmt: string;
  readonly gmtZero: string;
  readonly hours: string;
  /** Names of meta zones and of single zones: long generic, standard, daylight, then the short ones. */
  readonly zoneNames: Readonly<Record<string, readonly (string | 0)[]>>;
}

export function dateData(tag: string): DateData {
  return localeData('date', tag);
}

const finders = new Map<string, PatternFinder>();

export function patternFinder(tag: string): PatternFinder {
  let finder = finders.get(tag);
  if (finder === undefined) {
    const { available, dates, times, append, names, glueAt, decimal } = dateData(tag);
    finder = new PatternFinder({ available, styles: [...dates, ...times], append, names, glue: glueAt, decimal });
    finders.set(tag, finder);
  }
  return finder;
}

const systems = lazily(() => JSON.parse(NUMBERING_SYSTEMS) as Record<string, string>);

export function numberingSystems(): string[] {
  return Object.keys(systems());
}

/** ASCII digits as those of a numbering system. */
export function localDigits(text: string, system: string): string {
  if (system === 'latn') return text;
  const digits = Array.from(systems()[system]);
  return text.replace(/\d/g, (digit) => digits[Number(digit)]);
}

/** Which values the keywords of a locale can have, the default one first. */
export const dateKeywords: Record<string, Record<string, readonly (string | null)[]>> = {};
for (const tag of availableLocales) {
  const get = lazily(() => {
    const own = dateData(tag).numberingSystem;
    return {
      nu: [own, ...numberingSystems().filter((system) => system !== own)],
      ca: ['gregory', 'iso8601'],
      hc: [null, 'h11', 'h12', 'h23', 'h24'],
    };
  });
  Object.defineProperty(dateKeywords, tag, { get, enumerable: true });
}
