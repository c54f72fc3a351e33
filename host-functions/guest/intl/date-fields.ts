import { offsetAt } from './time-zones.ts';

/** A moment as a calendar and a clock show it. */
export interface DateFields {
  /** Astronomical: 0 is 1 BC. */
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  /** From 0, Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly offsetSeconds: number;
  readonly isSummer: boolean;
}

/** A time in milliseconds as a canonical zone shows it. */
export function fieldsOf(time: number, timeZone: string): DateFields {
  const { seconds, isSummer } = timeZone === 'UTC' ? { seconds: 0, isSummer: false } : offsetAt(timeZone, time);
  const local = time + seconds * 1000;
  const days = Math.floor(local / 86_400_000);
  const rest = local - days * 86_400_000;
  const { year, month, day } = dateOf(days);
  return {
    year,
    month,
    day,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(rest / 3_600_000),
    minute: Math.floor(rest / 60_000) % 60,
    second: Math.floor(rest / 1000) % 60,
    millisecond: Math.floor(rest % 1000),
    offsetSeconds: seconds,
    isSummer,
  };
}

/** Days from 1970-01-01 to the day of the Gregorian calendar, counted in 400 years from the first of March. */
function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 2 : fromMarch - 10;
  return { year: yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 };
}
