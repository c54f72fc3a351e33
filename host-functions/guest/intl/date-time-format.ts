import { now } from '../clock.ts';
import { dateData, dateKeywords, patternFinder } from './date-data.ts';
import { type DateOptions, type Defaults, type Required, bagOf, readDateOptions, stringOption } from './date-options.ts';
import { skeletonOf, tokenize, type Token, untokenize } from './date-pattern.ts';
import { type RangePart, writeRange } from './date-range.ts';
import { type Part, type Writing, writeDate } from './date-text.ts';
import { availableLocales, defaultLocale } from './locale-data.ts';
import { LookupSupportedLocales, ResolveLocale } from './locale-matcher.ts';
import { canonicalLocales } from './locales.ts';
import { canonicalZone } from './time-zones.ts';

interface Slots {
  readonly locale: string;
  readonly dataLocale: string;
  readonly calendar: string;
  readonly hourCycle: string | undefined;
  readonly dateStyle: string | undefined;
  readonly timeStyle: string | undefined;
  readonly pattern: string;
  readonly tokens: readonly Token[];
  readonly writing: Writing;
  bound?: (date?: unknown) => string;
}

const STYLES = ['full', 'long', 'medium', 'short'];
const LETTERS: Readonly<Record<string, string>> = {
  weekday: 'E',
  era: 'G',
  year: 'y',
  month: 'M',
  day: 'd',
  dayPeriod: 'B',
  minute: 'm',
  second: 's',
};
const LENGTHS: Readonly<Record<string, number>> = { numeric: 1, '2-digit': 2, short: 3, long: 4, narrow: 5 };
const ZONE_FIELDS: Readonly<Record<string, string>> = {
  short: 'z',
  long: 'zzzz',
  shortOffset: 'O',
  longOffset: 'OOOO',
  shortGeneric: 'v',
  longGeneric: 'vvvv',
};
const HOUR_LETTERS: Readonly<Record<string, string>> = { h11: 'K', h12: 'h', h23: 'H', h24: 'k' };
const MAX_TIME = 8.64e15;

/**
 * `Intl.DateTimeFormat` over the data of CLDR. Of our own: the kept library parses some 700 patterns for the first date that it writes,
 * which takes an interpreter seconds, and finds others than browsers do.
 */
export class DateTimeFormat {
  readonly #slots: Slots;

  constructor(locales?: unknown, options?: unknown) {
    this.#slots = resolve(locales, readDateOptions(options, ...defaultsOf(options)));
  }

  static supportedLocalesOf(locales: unknown, options?: unknown): string[] {
    const requested = canonicalLocales(locales);
    if (options !== undefined) stringOption(bagOf(options), 'localeMatcher', ['lookup', 'best fit']);
    return LookupSupportedLocales(availableLocales, requested);
  }

  get format(): (date?: unknown) => string {
    const slots = this.#slots;
    if (slots.bound === undefined) {
      const bound = (date?: unknown): string => textOf(writeDate(slots.tokens, timeOf(date), slots.writing));
      Object.defineProperty(bound, 'name', { value: '', configurable: true });
      Object.defineProperty(bound, 'length', { value: 1, configurable: true });
      slots.bound = bound;
    }
    return slots.bound;
  }

  formatToParts(date?: unknown): Part[] {
    return writeDate(this.#slots.tokens, timeOf(date), this.#slots.writing);
  }

  formatRange(start: unknown, end: unknown): string {
    const parts = this.#range(start, end);
    const isOne = parts.every(({ source }) => source === 'shared');
    return isOne ? textOf(parts) : parts.map(({ value }) => value).join('');
  }

  formatRangeToParts(start: unknown, end: unknown): RangePart[] {
    return this.#range(start, end);
  }

  resolvedOptions(): object {
    const { locale, calendar, hourCycle, dateStyle, timeStyle, tokens, writing } = this.#slots;
    const resolved: Record<string, unknown> = { locale, calendar, numberingSystem: writing.numberingSystem, timeZone: writing.timeZone };
    if (hourCycle !== undefined) {
      resolved['hourCycle'] = hourCycle;
      resolved['hour12'] = hourCycle === 'h11' || hourCycle === 'h12';
    }
    if (dateStyle === undefined && timeStyle === undefined) Object.assign(resolved, shownFields(tokens));
    if (dateStyle !== undefined) resolved['dateStyle'] = dateStyle;
    if (timeStyle !== undefined) resolved['timeStyle'] = timeStyle;
    return resolved;
  }

  #range(start: unknown, end: unknown): RangePart[] {
    const { pattern, tokens, writing, dataLocale } = this.#slots;
    if (start === undefined || end === undefined) throw new TypeError('a range needs a start and an end');
    return writeRange(
      { pattern, tokens, writing, best: (skeleton) => patternFinder(dataLocale).best(skeleton) },
      timeOf(start),
      timeOf(end),
    );
  }
}

/** How `Date.prototype.toLocaleDateString` and its like ask for what they show. Told to the constructor by the options' identity. */
const methodDefaults = new WeakMap<object, readonly [Required, Defaults]>();

/** A formatter for a method of `Date` with other defaults than the constructor's. */
export function dateFormatFor(locales: unknown, options: unknown, required: Required, defaults: Defaults): DateTimeFormat {
  const bag = Object.create(options === undefined ? null : bagOf(options)) as object;
  methodDefaults.set(bag, [required, defaults]);
  return new DateTimeFormat(locales, bag);
}

function defaultsOf(options: unknown): readonly [Required, Defaults] {
  const known = typeof options === 'object' && options !== null ? methodDefaults.get(options) : undefined;
  return known ?? ['any', 'date'];
}

function textOf(parts: readonly Part[]): string {
  let text = '';
  for (const { value } of parts) text += value;
  // As browsers do: much that reads times knows no other space.
  return text.replaceAll('\u202f', ' ');
}

/** The time that a date stands for; the run's clock without one. @throws RangeError for none */
function timeOf(date: unknown): number {
  const time = date === undefined ? now() : Number(date);
  if (!(Math.abs(time) <= MAX_TIME)) throw new RangeError('Invalid time value');
  return Math.trunc(time);
}

function resolve(locales: unknown, options: DateOptions): Slots {
  const { calendar, numberingSystem, hour12, hourCycle, fields, dateStyle, timeStyle } = options;
  const wanted = { ca: calendar, nu: numberingSystem, hc: hour12 === undefined ? hourCycle : null };
  const found = ResolveLocale(availableLocales, canonicalLocales(locales), wanted, ['ca', 'hc', 'nu'], dateKeywords, () => defaultLocale);
  const { dataLocale } = found;
  const timeZone = zoneOf(options.timeZone);
  const cycle = cycleOf(dataLocale, hour12, found['hc'] ?? undefined);
  const isStyle = dateStyle !== undefined || timeStyle !== undefined;
  const plain = isStyle
    ? stylePattern(dataLocale, dateStyle, timeStyle, cycle)
    : patternFinder(dataLocale).best(skeletonFor(fields, cycle));
  const pattern = withHourCycle(plain, cycle);
  const tokens = tokenize(pattern);
  return {
    locale: found.locale,
    dataLocale,
    calendar: found['ca'] ?? 'gregory',
    hourCycle: tokens.some(({ letter }) => letter !== '' && 'hHKk'.includes(letter)) ? cycle : undefined,
    dateStyle,
    timeStyle,
    pattern,
    tokens,
    writing: { data: dateData(dataLocale), timeZone, numberingSystem: found['nu'] ?? 'latn' },
  };
}

function zoneOf(name: string | undefined): string {
  if (name === undefined) return 'UTC';
  const zone = canonicalZone(name);
  if (zone === undefined) throw new RangeError(`Invalid time zone specified: ${name}`);
  return zone;
}

function cycleOf(locale: string, hour12: boolean | undefined, asked: string | undefined): string {
  const own = dateData(locale).hourCycle;
  const is12 = own === 'h11' || own === 'h12';
  if (hour12 === undefined) return asked ?? own;
  if (hour12) return is12 ? own : 'h12';
  return is12 ? 'h23' : own;
}

/** The skeleton of the fields that are asked for. */
function skeletonFor(fields: DateOptions['fields'], cycle: string): string {
  let skeleton = '';
  const add = (field: string): void => {
    const width = fields[field];
    if (width !== undefined) skeleton += LETTERS[field].repeat(field === 'dayPeriod' && width === 'short' ? 1 : LENGTHS[width]);
  };
  for (const field of ['weekday', 'era', 'year', 'month', 'day', 'dayPeriod']) add(field);
  const { hour, fractionalSecondDigits, timeZoneName } = fields;
  if (hour !== undefined) skeleton += HOUR_LETTERS[cycle].repeat(LENGTHS[hour]);
  add('minute');
  add('second');
  if (fractionalSecondDigits !== undefined) skeleton += 'S'.repeat(Number(fractionalSecondDigits));
  if (timeZoneName !== undefined) skeleton += ZONE_FIELDS[timeZoneName];
  return skeleton;
}

function stylePattern(locale: string, dateStyle: string | undefined, timeStyle: string | undefined, cycle: string): string {
  const { dates, times, glueAt } = dateData(locale);
  const date = dateStyle === undefined ? '' : dates[STYLES.indexOf(dateStyle)];
  if (timeStyle === undefined) return date;
  const time = timeInCycle(locale, times[STYLES.indexOf(timeStyle)], cycle);
  if (dateStyle === undefined) return time;
  return glueAt[STYLES.indexOf(dateStyle)].replace(/\{([01])\}/g, (_, which) => (which === '0' ? time : date));
}

function timeInCycle(locale: string, pattern: string, cycle: string): string {
  const is12 = cycle === 'h11' || cycle === 'h12';
  const skeleton = skeletonOf(pattern);
  if (/[hK]/.test(skeleton) === is12) return pattern;
  return patternFinder(locale).best(skeleton.replace(/[abB]+/, '').replace(/[hHkK]/g, is12 ? 'h' : 'H'));
}

function withHourCycle(pattern: string, cycle: string): string {
  const letter = HOUR_LETTERS[cycle];
  const tokens = tokenize(pattern);
  const has = tokens.some((token) => token.letter !== '' && token.letter !== letter && 'hHKk'.includes(token.letter));
  if (!has) return pattern;
  return untokenize(tokens.map((token) => (token.letter !== '' && 'hHKk'.includes(token.letter) ? { ...token, letter } : token)));
}

const ORDER = 'weekday era year month day dayPeriod hour minute second fractionalSecondDigits timeZoneName'.split(' ');
const FIELD_NAMES: Readonly<Record<string, string>> = {
  E: 'weekday',
  c: 'weekday',
  G: 'era',
  y: 'year',
  M: 'month',
  L: 'month',
  d: 'day',
  B: 'dayPeriod',
  h: 'hour',
  H: 'hour',
  K: 'hour',
  k: 'hour',
  m: 'minute',
  s: 'second',
  S: 'fractionalSecondDigits',
  z: 'timeZoneName',
  O: 'timeZoneName',
  v: 'timeZoneName',
};
const WIDTHS = ['', 'numeric', '2-digit', 'short', 'long', 'narrow'];

/** The fields that a pattern shows, as `resolvedOptions` tells them. */
function shownFields(tokens: readonly Token[]): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const { letter, length } of tokens) {
    const field = FIELD_NAMES[letter];
    if (field === undefined) continue;
    if (letter === 'S') shown[field] = length;
    else if ('zOv'.includes(letter)) {
      shown[field] = Object.keys(ZONE_FIELDS).find((name) => ZONE_FIELDS[name] === letter.repeat(length > 3 ? 4 : 1));
    } else if ('GEcB'.includes(letter)) shown[field] = WIDTHS[Math.max(length, 3)];
    else shown[field] = WIDTHS[length];
  }
  return Object.fromEntries(ORDER.filter((field) => shown[field] !== undefined).map((field) => [field, shown[field]]));
}
