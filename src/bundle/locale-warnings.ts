import type { Diagnostic } from '../errors.ts';
import { readSource } from './source-text.ts';

const MAX_WARNINGS = 5;
/** Where programs name a locale as plain text: the first argument of a format, the second of a comparison. */
const SITES =
  /\b(?:(?:toLocale(?:Date|Time)?String|Intl\.\w+)\s*\(\s*\[?\s*|localeCompare\s*\([^()"'`]*,\s*\[?\s*)(["'`])([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\1/gu;

/**
 * A program that asks for a locale which there is not here gets the formats of another one, as the standard has it, and nothing in its
 * result would tell. So the answer does: once for each locale.
 */
export function localeWarnings(code: string, locales: readonly string[]): Diagnostic[] {
  if (!/toLocale|localeCompare|Intl/u.test(code)) return [];
  const known = new Set(locales.map(fullName));
  const source = readSource(code);
  const seen = new Set<string>();
  const found: Diagnostic[] = [];
  for (const match of source.text.matchAll(SITES)) {
    const locale = match[2] ?? '';
    const full = fullName(locale);
    if (full === undefined || known.has(full) || seen.has(full)) continue;
    seen.add(full);
    found.push({
      code: 'WARN_LOCALE',
      message: messageOf(locale, locales),
      location: source.locationAt(match.index + match[0].lastIndexOf(locale)),
    });
  }
  return found.slice(0, MAX_WARNINGS);
}

function messageOf(locale: string, locales: readonly string[]): string {
  const isDate = /^(?:en-CA|sv|sv-SE|fr-CA|lt|lt-LT)$/u.test(locale);
  const way = isDate ? ' For YYYY-MM-DD put the parts of `formatToParts` together, or use `toISOString().slice(0, 10)`.' : '';
  return `The locale "${locale}" is not here: the formats of another one are used. There is ${locales.map((name) => `"${name}"`).join(', ')}.${way}`;
}

/** Language, script and region that a tag means, however much of it is left out; undefined when it is no tag. */
function fullName(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag).maximize().baseName;
  } catch {
    return undefined;
  }
}
