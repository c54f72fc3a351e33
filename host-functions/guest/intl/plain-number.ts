import { PLAIN_NUMBERS } from 'ampoule:language';
import { dataTags, defaultLocale } from './locale-data.ts';

const MOST_FRACTION_DIGITS = 3;

/**
 * A number as a locale writes it when nothing is asked for: at most three digits after the decimal sign, and groups. Undefined where
 * that takes more than signs and groups, which is for `Intl.NumberFormat`: it has to be made first.
 */
export function plainNumber(value: number | bigint, locales: unknown): string | undefined {
  const tag = locales === undefined ? defaultLocale : locales;
  const plain = typeof tag === 'string' ? PLAIN_NUMBERS[dataTags.get(tag) ?? ''] : undefined;
  if (plain === undefined) return undefined;
  const isNegative = value < 0 || Object.is(value, -0);
  const text = String(value).replace('-', '');
  if (!/^\d+(?:\.\d+)?$/.test(text)) return undefined;
  const [decimal, group, minus, least] = plain;
  const [whole, fraction] = rounded(text);
  const grouped = whole.length < 3 + least ? whole : whole.replace(/\B(?=(?:\d{3})+$)/g, group);
  return `${isNegative ? minus : ''}${grouped}${fraction === '' ? '' : decimal}${fraction}`;
}

/** Digits before and after the decimal sign; five and more is rounded away from zero. */
function rounded(text: string): [whole: string, fraction: string] {
  const [whole, fraction = ''] = text.split('.');
  if (fraction.length <= MOST_FRACTION_DIGITS) return [whole, fraction.replace(/0+$/, '')];
  let digits = whole + fraction.slice(0, MOST_FRACTION_DIGITS);
  if (fraction[MOST_FRACTION_DIGITS] >= '5') digits = String(BigInt(digits) + 1n).padStart(digits.length, '0');
  const point = digits.length - MOST_FRACTION_DIGITS;
  return [digits.slice(0, point), digits.slice(point).replace(/0+$/, '')];
}
