import { lateUnit } from './late-unit.ts';
import { dataTags } from './locale-data.ts';

/** A `locales` argument as a list of canonical tags. @throws RangeError, TypeError as the standard says */
export function canonicalLocales(locales: unknown): string[] {
  if (locales === undefined) return [];
  if (typeof locales === 'string' && dataTags.has(locales)) return [locales];
  if (locales === null) throw new TypeError('Cannot convert undefined or null to object');
  return lateUnit<(locales: unknown) => string[]>('canonical')(locales);
}
