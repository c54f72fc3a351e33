/** The options of `Intl.DateTimeFormat`, read as ECMA-402 reads them. */

export type Wanted = Record<string, string | number | undefined>;

export interface DateOptions {
  readonly calendar: string | undefined;
  readonly numberingSystem: string | undefined;
  readonly hour12: boolean | undefined;
  readonly hourCycle: string | undefined;
  readonly timeZone: string | undefined;
  readonly dateStyle: string | undefined;
  readonly timeStyle: string | undefined;
  /** The fields, and how wide each is to be. */
  readonly fields: Wanted;
}

/** What a method shows if nothing is asked for. */
export type Required = 'any' | 'date' | 'time';
export type Defaults = 'date' | 'time' | 'all';

const WIDTHS = ['narrow', 'short', 'long'];
const NUMBERS = ['2-digit', 'numeric'];
const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const TIME_FIELDS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
const FIELD_VALUES: readonly (readonly [field: string, values: readonly string[]])[] = [
  ['weekday', WIDTHS],
  ['era', WIDTHS],
  ['year', NUMBERS],
  ['month', [...NUMBERS, ...WIDTHS]],
  ['day', NUMBERS],
  ['dayPeriod', WIDTHS],
  ['hour', NUMBERS],
  ['minute', NUMBERS],
  ['second', NUMBERS],
];
const ZONE_NAMES = ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'];
const STYLES = ['full', 'long', 'medium', 'short'];

type Bag = Record<string, unknown>;

/** @throws RangeError, TypeError as the standard says */
export function readDateOptions(given: unknown, required: Required, defaults: Defaults): DateOptions {
  const bag = bagOf(given);
  stringOption(bag, 'localeMatcher', ['lookup', 'best fit']);
  const calendar = typeOption(bag, 'calendar');
  const numberingSystem = typeOption(bag, 'numberingSystem');
  const hour12 = bag['hour12'] === undefined ? undefined : Boolean(bag['hour12']);
  const hourCycle = stringOption(bag, 'hourCycle', ['h11', 'h12', 'h23', 'h24']);
  const zone = bag['timeZone'];
  const timeZone = zone === undefined ? undefined : textOf(zone);
  const fields: Wanted = {};
  for (const [field, values] of FIELD_VALUES) fields[field] = stringOption(bag, field, values);
  fields['fractionalSecondDigits'] = digitsOption(bag);
  fields['timeZoneName'] = stringOption(bag, 'timeZoneName', ZONE_NAMES);
  stringOption(bag, 'formatMatcher', ['basic', 'best fit']);
  const dateStyle = stringOption(bag, 'dateStyle', STYLES);
  const timeStyle = stringOption(bag, 'timeStyle', STYLES);
  if (dateStyle !== undefined || timeStyle !== undefined) refuseFields(fields, dateStyle, timeStyle, required);
  else addDefaults(fields, required, defaults);
  return { calendar, numberingSystem, hour12, hourCycle, timeZone, dateStyle, timeStyle, fields };
}

/** An options argument as an object without surprises. */
export function bagOf(given: unknown): Bag {
  if (given === undefined) return Object.create(null) as Bag;
  if (given === null) throw new TypeError('the options are null: leave them out, or give an object');
  return Object(given) as Bag;
}

function textOf(value: unknown): string {
  if (typeof value === 'symbol') throw new TypeError('a symbol cannot become text');
  return String(value);
}

/** An option that is one of some texts; undefined when it is not given. */
export function stringOption(bag: Bag, name: string, values: readonly string[]): string | undefined {
  const value = bag[name];
  if (value === undefined) return undefined;
  const text = textOf(value);
  if (!values.includes(text)) throw new RangeError(`Value ${text} out of range for Intl options property ${name}`);
  return text;
}

/** An option that names a calendar, a collation or digits. */
export function typeOption(bag: Bag, name: string): string | undefined {
  const value = bag[name];
  if (value === undefined) return undefined;
  const text = textOf(value);
  if (!/^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i.test(text)) throw new RangeError(`Invalid ${name} : ${text}`);
  return text;
}

function digitsOption(bag: Bag): number | undefined {
  const value = bag['fractionalSecondDigits'];
  if (value === undefined) return undefined;
  const digits = Number(value);
  if (!(digits >= 1 && digits <= 3)) throw new RangeError('fractionalSecondDigits value is out of range.');
  return Math.floor(digits);
}

function refuseFields(fields: Wanted, dateStyle: string | undefined, timeStyle: string | undefined, required: Required): void {
  const style = dateStyle === undefined ? 'timeStyle' : 'dateStyle';
  for (const field of Object.keys(fields)) {
    if (fields[field] !== undefined) throw new TypeError(`Can't set option ${field} when ${style} is used`);
  }
  if (required === 'date' && timeStyle !== undefined) throw new TypeError('Invalid option : timeStyle');
  if (required === 'time' && dateStyle !== undefined) throw new TypeError('Invalid option : dateStyle');
}

function addDefaults(fields: Wanted, required: Required, defaults: Defaults): void {
  const asked = [...(required === 'time' ? [] : DATE_FIELDS), ...(required === 'date' ? [] : TIME_FIELDS)];
  if (asked.some((field) => fields[field] !== undefined)) return;
  if (defaults !== 'time') for (const field of ['year', 'month', 'day']) fields[field] = 'numeric';
  if (defaults !== 'date') for (const field of ['hour', 'minute', 'second']) fields[field] = 'numeric';
}
