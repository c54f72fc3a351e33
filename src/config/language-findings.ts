import { nearestName } from '../nearest-name.ts';
import type { Finding } from './finding.ts';
import { valueAt } from './json-source.ts';
import { LOCALE_NAMES, TIME_ZONE_NAMES } from './language-names.ts';

/** Locales and time zones of `language` that there is no data of. */
export function languageFindings(value: unknown): Finding[] {
  return [...unknownNames(value, 'locales', LOCALE_NAMES, 'a locale'), ...unknownNames(value, 'timeZones', TIME_ZONE_NAMES, 'a time zone')];
}

function unknownNames(value: unknown, key: 'locales' | 'timeZones', known: readonly string[], what: string): Finding[] {
  const names = valueAt(value, ['language', key]);
  if (!Array.isArray(names)) return [];
  const right = new Set(known);
  return names.flatMap((name: unknown, index): Finding[] => {
    if (typeof name !== 'string' || right.has(name)) return [];
    const near = nearestName(name, known);
    const question = near === undefined ? '' : `; did you mean "${near}"?`;
    const path = ['language', key, index];
    return [{ kind: 'invalid', path, message: `expected ${what} that there is data of, got ${JSON.stringify(name)}${question}` }];
  });
}
