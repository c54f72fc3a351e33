import { ZONE_LINKS, ZONES } from 'ampoule:language';
import { lazily } from './lazily.ts';

/** The second of a yearly change, by local time: the first of a weekday on or after a day. */
interface YearlyChange {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly time: number;
  readonly clock: number;
}

interface Zone {
  /** Seconds since 1970 of each change. */
  readonly times: readonly number[];
  /** What clocks show after each change, and before the first: seconds ahead of UTC, twice, plus one in summer. */
  readonly clocks: readonly number[];
  readonly rule: readonly YearlyChange[];
}

/** What the clocks of a zone show. */
export interface Offset {
  readonly seconds: number;
  readonly isSummer: boolean;
}

const UNIT = 900;
const DAY = 86_400;

/** Lower-case name to the name and its line. Made at the first use: a line is parsed when its zone is used. */
const zones = lazily(() => new Map(ZONES.split('\n').map((line) => [line.slice(0, line.indexOf('|')).toLowerCase(), line])));
const links = lazily(() => new Map(ZONE_LINKS.split('\n').map((line) => [line.slice(0, line.indexOf(' ')).toLowerCase(), line])));
const parsed = new Map<string, Zone>();

/** The names of all zones that are there, without other names for them. */
export function zoneNames(): string[] {
  return [...zones().values()].map((line) => line.slice(0, line.indexOf('|')));
}

/**
 * A name as the standard writes it: of a zone, or `+05:30`; undefined for what is none. UTC has many names, which all become `UTC`.
 */
export function canonicalZone(name: string): string | undefined {
  if (/^[+-]/.test(name)) return canonicalOffset(name);
  const key = name.toLowerCase();
  const line = zones().get(key);
  if (line !== undefined) return line.slice(0, line.indexOf('|'));
  const link = links().get(key)?.split(' ');
  if (link === undefined) return undefined;
  return link[1] === 'UTC' ? 'UTC' : link[0];
}

/** The zone that a name is another name of; itself otherwise. */
export function primaryZone(canonical: string): string {
  return links().get(canonical.toLowerCase())?.split(' ')[1] ?? canonical;
}

function canonicalOffset(name: string): string | undefined {
  const match = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/.exec(name);
  if (match === null) return undefined;
  const [, sign, hours, minutes = '00'] = match;
  return `${hours === '00' && minutes === '00' ? '+' : sign}${hours}:${minutes}`;
}

/** What the clocks of a canonical zone show at a time in milliseconds. */
export function offsetAt(canonical: string, time: number): Offset {
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(canonical);
  if (fixed !== null) return { seconds: (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60), isSummer: false };
  const clock = clockAt(zoneOf(primaryZone(canonical)), Math.floor(time / 1000));
  return { seconds: Math.floor(clock / 2), isSummer: (clock & 1) === 1 };
}

function zoneOf(primary: string): Zone {
  let zone = parsed.get(primary);
  if (zone === undefined) {
    zone = parseZone(zones().get(primary.toLowerCase()) ?? '');
    parsed.set(primary, zone);
  }
  return zone;
}

function parseZone(line: string): Zone {
  const [, clockText = '0', changes = '', rule = ''] = line.split('|');
  const values = clockText.split(' ').map((text) => parseInt(text, 36));
  const times: number[] = [];
  const clocks = [values[0]];
  let last = 0;
  for (const change of changes === '' ? [] : changes.split(' ')) {
    const isExact = change.at(-2) === '.';
    last += parseInt(change.slice(0, isExact ? -2 : -1), 36) * (isExact ? 1 : UNIT);
    times.push(last);
    clocks.push(values[parseInt(change.at(-1) ?? '0', 36)]);
  }
  return { times, clocks, rule: rule === '' ? [] : rule.split(' ').map((text) => parseYearly(text, values)) };
}

function parseYearly(text: string, values: readonly number[]): YearlyChange {
  const [month, day, weekday, time, clock] = text.split('.').map((part) => parseInt(part, 36));
  return { month, day, weekday, time, clock: values[clock] };
}

function clockAt({ times, clocks, rule }: Zone, second: number): number {
  const last = times.at(-1);
  if (rule.length > 0 && last !== undefined && second >= last) return clockByRule(rule, clocks[times.length], second, last);
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= second) low = middle + 1;
    else high = middle;
  }
  return clocks[low];
}

/** The clock after the last yearly change that is not later. */
function clockByRule(rule: readonly YearlyChange[], start: number, second: number, from: number): number {
  const year = new Date(second * 1000).getUTCFullYear();
  let clock = start;
  let latest = from;
  for (let y = year - 1; y <= year + 1; y++) {
    for (const change of rule) {
      const before = rule.find((other) => other !== change)?.clock ?? start;
      const at = localSecond(change, y) - Math.floor(before / 2);
      if (at <= second && at >= latest) {
        latest = at;
        clock = change.clock;
      }
    }
  }
  return clock;
}

function localSecond({ month, day, weekday, time }: YearlyChange, year: number): number {
  const first = Date.UTC(year, month - 1, day) / 1000;
  const ahead = (weekday - new Date(first * 1000).getUTCDay() + 7) % 7;
  return first + ahead * DAY + time;
}
