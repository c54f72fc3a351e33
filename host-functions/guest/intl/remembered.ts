/** The options of all formats: those that a formatter is remembered by. */
const OPTIONS = (
  'localeMatcher calendar numberingSystem hour12 hourCycle timeZone weekday era year month day dayPeriod hour minute second fractionalSecondDigits ' +
  'timeZoneName formatMatcher dateStyle timeStyle style currency currencyDisplay currencySign unit unitDisplay notation compactDisplay useGrouping ' +
  'signDisplay minimumIntegerDigits minimumFractionDigits maximumFractionDigits minimumSignificantDigits maximumSignificantDigits roundingIncrement ' +
  'roundingMode roundingPriority trailingZeroDisplay usage sensitivity ignorePunctuation numeric caseFirst collation'
).split(' ');
const MOST = 32;

/**
 * A formatter for each locale and options: programs format thousands of values with the same ones, and making a formatter costs much
 * more than using it. Options that are not plain values are not remembered.
 */
export function remembered<T>(make: (locales: unknown, options: unknown) => T): (locales: unknown, options: unknown) => T {
  const known = new Map<string, T>();
  return (locales, options) => {
    const key = keyOf(locales, options);
    if (key === undefined) return make(locales, options);
    let value = known.get(key);
    if (value === undefined) {
      value = make(locales, options);
      if (known.size >= MOST) known.clear();
      known.set(key, value);
    }
    return value;
  };
}

const textOf = (value: unknown): string => String(value);

function keyOf(locales: unknown, options: unknown): string | undefined {
  if (locales !== undefined && typeof locales !== 'string') return undefined;
  const key = locales ?? '';
  if (options === undefined) return key;
  if (typeof options !== 'object' || options === null) return undefined;
  let text = `${key}|`;
  for (const name of OPTIONS) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') return undefined;
    text += `${name}=${typeof value}${textOf(value)};`;
  }
  return text;
}
