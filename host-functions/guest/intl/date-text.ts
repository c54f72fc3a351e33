import { localDigits, type DateData } from './date-data.ts';
import { type DateFields, fieldsOf } from './date-fields.ts';
import type { Token } from './date-pattern.ts';
import { zoneName } from './zone-names.ts';

export interface Part {
  type: string;
  value: string;
}

/** What is needed to write a time: the locale's data, the zone and the digits. */
export interface Writing {
  readonly data: DateData;
  readonly timeZone: string;
  readonly numberingSystem: string;
}

const TYPES: Readonly<Record<string, string>> = {
  G: 'era',
  y: 'year',
  u: 'year',
  r: 'relatedYear',
  M: 'month',
  L: 'month',
  d: 'day',
  E: 'weekday',
  c: 'weekday',
  e: 'weekday',
  a: 'dayPeriod',
  b: 'dayPeriod',
  B: 'dayPeriod',
  h: 'hour',
  H: 'hour',
  K: 'hour',
  k: 'hour',
  m: 'minute',
  s: 'second',
  S: 'fractionalSecond',
  z: 'timeZoneName',
  O: 'timeZoneName',
  v: 'timeZoneName',
};

/** A time as the parts of a pattern; text that is next to text is one part. */
export function writeDate(tokens: readonly Token[], time: number, writing: Writing): Part[] {
  const fields = fieldsOf(time, writing.timeZone);
  const parts: Part[] = [];
  for (const token of tokens) {
    const type = token.letter === '' ? 'literal' : (TYPES[token.letter] ?? 'unknown');
    const value = token.letter === '' ? token.text : fieldText(token, time, fields, writing);
    const last = parts.at(-1);
    if (type === 'literal' && last?.type === 'literal') last.value += value;
    else if (value !== '' || type !== 'literal') parts.push({ type, value });
  }
  return parts;
}

function fieldText({ letter, length }: Token, time: number, fields: DateFields, writing: Writing): string {
  const { data, timeZone, numberingSystem } = writing;
  const number = (value: number, least = length): string => localDigits(String(value).padStart(least, '0'), numberingSystem);
  switch (letter) {
    case 'G':
      return byWidth(data.eras, length)[fields.year > 0 ? 1 : 0];
    case 'y': {
      const year = fields.year > 0 ? fields.year : 1 - fields.year;
      return length === 2 ? number(year % 100) : number(year);
    }
    case 'u':
    case 'r':
      return number(fields.year);
    case 'M':
      return length < 3 ? number(fields.month + 1) : byWidth(data.months, length)[fields.month];
    case 'L':
      return length < 3 ? number(fields.month + 1) : byWidth(data.standAloneMonths, length)[fields.month];
    case 'd':
      return number(fields.day);
    case 'E':
    case 'e':
      return byWidth(data.days, length)[fields.weekday];
    case 'c':
      return byWidth(data.standAloneDays, length)[fields.weekday];
    case 'a':
    case 'b':
      return byWidth(data.periods, length)[fields.hour < 12 ? 'am' : 'pm'];
    case 'B':
      return dayPeriod(length, fields, data);
    case 'z':
    case 'O':
    case 'v':
      return zoneName(letter, length, timeZone, time, fields, data, numberingSystem);
    default:
      return number(clockNumber(letter, length, fields));
  }
}

function clockNumber(letter: string, length: number, { hour, minute, second, millisecond }: DateFields): number {
  switch (letter) {
    case 'H':
      return hour;
    case 'k':
      return hour === 0 ? 24 : hour;
    case 'K':
      return hour % 12;
    case 'h':
      return hour % 12 === 0 ? 12 : hour % 12;
    case 'm':
      return minute;
    case 's':
      return second;
    default:
      return Math.floor(millisecond / 10 ** (3 - Math.min(length, 3)));
  }
}

/** A value for a field's length: 4 is wide, 5 narrow, everything else abbreviated. */
function byWidth<T>(widths: readonly [T, T, T], length: number): T {
  return widths[length === 4 ? 0 : length === 5 ? 2 : 1];
}

/** `in the morning` and its like; AM and PM for a language without. */
export function dayPeriod(length: number, { hour, minute }: DateFields, data: DateData): string {
  const names = byWidth(data.periods, length);
  const now = hour * 60 + minute;
  const name = dayPeriodName(now, data, names);
  return names[name] ?? names[hour < 12 ? 'am' : 'pm'];
}

function dayPeriodName(now: number, data: DateData, names: Readonly<Record<string, string>>): string {
  const exact = data.periodRules.find(([name, from, to]) => from === to && from === now && name in names);
  const among = (from: number, to: number): boolean => (from < to ? now >= from && now < to : from > to && (now >= from || now < to));
  return (exact ?? data.periodRules.find(([, from, to]) => among(from, to)))?.[0] ?? (now < 720 ? 'am' : 'pm');
}
