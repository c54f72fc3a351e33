/**
 * Which of the locales that are there a program gets. In the place of `@formatjs/intl-localematcher`, whose best fit gives a program
 * that asks for a language another one that is near to it, and whose tables are larger than all the rest. All parts of `Intl` know the
 * same locales, so that the lists that the libraries hand over are of no use.
 */

import { dataTags } from './locale-data.ts';

interface Requested {
  readonly locale: string;
  readonly keywords: ReadonlyMap<string, string>;
}

interface Resolved {
  locale: string;
  dataLocale: string;
  [key: string]: string | null | undefined;
}

/** ResolveLocale of ECMA-402: the locale and, for each key, the value of the option or of the locale's extension that is supported. */
export function ResolveLocale(
  _available: Iterable<string>,
  requested: readonly string[],
  options: Readonly<Record<string, string | null | undefined>>,
  relevantKeys: readonly string[],
  localeData: Readonly<Record<string, Record<string, readonly (string | null)[]>>>,
  getDefaultLocale: () => string,
): Resolved {
  const { locale, keywords } = lookup(requested) ?? { locale: getDefaultLocale(), keywords: new Map<string, string>() };
  const result = Object.assign(Object.create(null) as Resolved, { locale, dataLocale: locale });
  let extension = '';
  for (const key of relevantKeys) {
    const values = localeData[locale]?.[key] ?? [];
    const wanted = keywords.get(key);
    const own = wanted === '' ? 'true' : wanted;
    const option = optionValue(options[key]);
    let value = values[0];
    let inLocale = '';
    if (own !== undefined && values.includes(own)) {
      value = own;
      inLocale = own === 'true' ? `-${key}` : `-${key}-${own}`;
    }
    if (option !== undefined && option !== value && values.includes(option)) {
      value = option;
      inLocale = '';
    }
    result[key] = value;
    extension += inLocale;
  }
  if (extension !== '') result.locale = withExtension(locale, extension);
  return result;
}

/** The requested locales that are there, as they were asked for. */
export function LookupSupportedLocales(_available: Iterable<string>, requested: readonly string[]): string[] {
  return requested.filter((tag) => bestAvailable(withoutExtensions(tag)) !== undefined);
}

function optionValue(value: string | null | undefined): string | null | undefined {
  if (typeof value !== 'string') return value;
  const lower = value.toLowerCase();
  return lower === '' ? 'true' : lower;
}

function lookup(requested: readonly string[]): Requested | undefined {
  for (const tag of requested) {
    const locale = bestAvailable(withoutExtensions(tag));
    if (locale !== undefined) return { locale, keywords: keywordsOf(tag) };
  }
  return undefined;
}

function bestAvailable(tag: string): string | undefined {
  for (let candidate = tag; candidate !== '';) {
    if (dataTags.has(candidate)) return candidate;
    let end = candidate.lastIndexOf('-');
    if (end >= 2 && candidate[end - 2] === '-') end -= 2;
    candidate = end < 0 ? '' : candidate.slice(0, end);
  }
  return undefined;
}

/** A tag up to its first extension, which begins with a single character. */
function withoutExtensions(tag: string): string {
  const at = tag.search(/-[0-9a-zA-Z]-/);
  return at < 0 ? tag : tag.slice(0, at);
}

/** The keywords of the extension `u`: the tag is canonical. */
export function keywordsOf(tag: string): Map<string, string> {
  const found = new Map<string, string>();
  const extension = /-u((?:-[0-9a-z]{2,8})+)/.exec(tag.replace(/-x-.*/, ''))?.[1];
  let key = '';
  for (const part of extension?.split('-') ?? []) {
    if (part.length === 2) {
      key = part;
      if (!found.has(key)) found.set(key, '');
    } else if (key !== '') found.set(key, found.get(key) === '' ? part : `${found.get(key)}-${part}`);
  }
  return found;
}

function withExtension(locale: string, extension: string): string {
  const at = locale.indexOf('-x-');
  return at < 0 ? `${locale}-u${extension}` : `${locale.slice(0, at)}-u${extension}${locale.slice(at)}`;
}
