import { METAZONES } from 'ampoule:language';
import { localDigits, type DateData } from './date-data.ts';
import type { DateFields } from './date-fields.ts';
import { lazily } from './lazily.ts';
import { offsetAt, primaryZone } from './time-zones.ts';

/** Zone to the group of zones that it shares its names with; with the minutes since 1970 from which on it belongs there, if it changed. */
const metazones = lazily(() => JSON.parse(METAZONES) as Record<string, string | readonly (readonly [from: number, name: string])[]>);

const HALF_YEAR_MS = 184 * 86_400_000;
const GENERIC = 0;
const STANDARD = 1;
const DAYLIGHT = 2;
const SHORT = 3;

/** The name of a zone at a time, for the letters `z`, `O` and `v` of a pattern. */
export function zoneName(
  letter: string,
  length: number,
  zone: string,
  time: number,
  fields: DateFields,
  data: DateData,
  system: string,
): string {
  const isLong = length > 3;
  const name =
    letter === 'O' ? undefined : letter === 'v' ? genericName(zone, time, isLong, data) : specificName(zone, time, isLong, fields, data);
  return name ?? localDigits(offsetName(fields.offsetSeconds, isLong, data), system);
}

function specificName(zone: string, time: number, isLong: boolean, fields: DateFields, data: DateData): string | undefined {
  return nameOf(zone, time, (isLong ? 0 : SHORT) + (fields.isSummer ? DAYLIGHT : STANDARD), data);
}

function genericName(zone: string, time: number, isLong: boolean, data: DateData): string | undefined {
  const base = isLong ? 0 : SHORT;
  const generic = nameOf(zone, time, base + GENERIC, data);
  if (generic !== undefined) return generic;
  const hasSummer = [-HALF_YEAR_MS, 0, HALF_YEAR_MS].some((delta) => offsetAt(zone, time + delta).isSummer);
  return hasSummer ? undefined : nameOf(zone, time, base + STANDARD, data);
}

function nameOf(zone: string, time: number, index: number, data: DateData): string | undefined {
  const primary = /^[+-]/.test(zone) ? (zone === '+00:00' ? 'Etc/GMT' : zone) : primaryZone(zone);
  // What zones were called before 1970 is not known.
  if (time < 0 && primary !== 'UTC') return undefined;
  const own = data.zoneNames[primary]?.[index];
  if (own !== undefined && own !== 0) return own;
  const shared = data.zoneNames[metazoneAt(primary, time) ?? '']?.[index];
  return shared === undefined || shared === 0 ? undefined : shared;
}

function metazoneAt(zone: string, time: number): string | undefined {
  const known = metazones()[zone];
  if (known === undefined || typeof known === 'string') return known;
  const minute = time / 60_000;
  return known.findLast(([from]) => from <= minute)?.[1] ?? undefined;
}

/** `GMT+1`, or `GMT+01:00`. */
export function offsetName(seconds: number, isLong: boolean, data: DateData): string {
  const [positive, negative] = data.hours.split(';');
  const pattern = seconds < 0 ? negative : positive;
  const total = Math.abs(seconds);
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);
  const separator = /H+([^Hm]*)m/.exec(pattern)?.[1] ?? ':';
  let text = isLong ? two(hours) : `${hours}`;
  if (isLong || minutes !== 0 || rest !== 0) text += separator + two(minutes);
  if (rest !== 0) text += separator + two(rest);
  return data.gmt.replace('{0}', pattern.replace(/H.*m/, text));
}
