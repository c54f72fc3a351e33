import * as p from './primordials.ts';

const MAX_TIME = 8.64e15;
const DAY_MS = 86_400_000;

/** Year, month and day as they come, then what they mean. */
export interface Day {
  count: number;
  a: number;
  b: number;
  c: number;
  month: number;
  isIso: boolean;
}
/** Hour, minute, second and millisecond; `half` is what a half of the day adds, -1 for none. */
export interface Time {
  count: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  half: number;
}
/** Hours and minutes from UTC; -1 for what was not said. */
export interface Zone {
  sign: number;
  hour: number;
  minute: number;
}

/** The parts of a date as milliseconds since 1970; NaN when there is no such date. */
export function timeOf(day: Day, time: Time, { sign, hour, minute }: Zone): number {
  const offset = sign === 0 ? 0 : sign * (p.max(hour, 0) * 60 + p.max(minute, 0)) * 60_000;
  const value = dayValue(day) + timeValue(time) - offset;
  return value >= -MAX_TIME && value <= MAX_TIME ? value : NaN;
}

function dayValue({ count, a, b, c, month: named, isIso }: Day): number {
  if (count === 0) return NaN;
  const isDayFirst = isBetween(a, 1, 31);
  let year = isDayFirst ? c : a;
  let month = isDayFirst ? a : b;
  let day = isDayFirst ? b : c;
  if (named !== 0) {
    year = isDayFirst ? b : a;
    month = named;
    day = isDayFirst ? a : b;
  } else if (isIso) {
    year = a;
    month = b;
    day = c;
  }
  if (!isIso && isBetween(year, 0, 99)) year += year < 50 ? 2000 : 1900;
  return isBetween(month, 1, 12) && isBetween(day, 1, 31) ? daysBefore(year, month, day) * DAY_MS : NaN;
}

function timeValue({ hour: given, minute, second, ms, half }: Time): number {
  if (half !== -1 && given > 12) return NaN;
  const hour = half === -1 ? given : (given % 12) + half;
  const isMidnight = hour === 24 && minute === 0 && second === 0 && ms === 0;
  if (!isMidnight && (hour > 23 || minute > 59 || second > 59)) return NaN;
  return ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

/** Days from 1970 to a day of the Gregorian calendar; one that the month has not counts into the next. */
function daysBefore(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = p.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = p.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + p.floor(ofEra / 4) - p.floor(ofEra / 100) + ofYear - 719_468;
}

export function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
