import { readPackageJson } from './cldr.ts';

type Likely = Record<string, string>;

/** What is said about locales as such: which tags mean the same data, and the region that a locale is of when it names none. */
export interface LocaleTags {
  /** The tag, and all others that have no other data than it: `de-DE` for `de`, `zh-CN` for `zh-Hans`. */
  sameAs(locale: string): string[];
  regionOf(locale: string): string;
  /** The locale whose data is that of a tag: `pt` for `pt-BR`. */
  dataOf(locale: string): string;
}

export async function readLocaleTags(): Promise<LocaleTags> {
  const [{ supplemental }, { defaultContent }] = await Promise.all([
    readPackageJson<{ supplemental: { likelySubtags: Likely } }>('cldr-core', 'supplemental/likelySubtags.json'),
    readPackageJson<{ defaultContent: string[] }>('cldr-core', 'defaultContent.json'),
  ]);
  const likely = supplemental.likelySubtags;
  const dataOf = (tag: string): string => (defaultContent.includes(tag) ? dataOf(tag.slice(0, tag.lastIndexOf('-'))) : tag);
  return {
    dataOf,
    sameAs: (locale) => {
      const tags = new Set([locale]);
      for (const tag of defaultContent) if (tag.startsWith(`${locale}-`) && isDefaultOf(tag, locale, defaultContent)) tags.add(tag);
      for (const tag of tags) {
        const short = tag.replace(/-[A-Z][a-z]{3}\b/, '');
        if (short !== tag && maximize(short, likely) === maximize(tag, likely)) tags.add(short);
      }
      return [...tags].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    },
    regionOf: (locale) => /-([A-Z]{2}|\d{3})(?:-|$)/.exec(locale)?.[1] ?? maximize(locale, likely).split('-').at(-1) ?? '001',
  };
}

/** `zh-Hans-CN` is the default of `zh-Hans`, and that of `zh`. */
function isDefaultOf(tag: string, locale: string, defaultContent: readonly string[]): boolean {
  const parent = tag.slice(0, tag.lastIndexOf('-'));
  return parent === locale || (defaultContent.includes(parent) && isDefaultOf(parent, locale, defaultContent));
}

/** Adds the script and the region that are most likely. */
function maximize(tag: string, likely: Likely): string {
  const [language = '', ...rest] = tag.split('-');
  const script = rest.find((part) => part.length === 4);
  const region = rest.find((part) => /^(?:[A-Z]{2}|\d{3})$/.test(part));
  const tries = [[language, script, region], [language, region], [language, script], [language]].map((parts) =>
    parts.filter(Boolean).join('-'),
  );
  const found = tries
    .map((key) => likely[key])
    .find((full) => full !== undefined)
    ?.split('-') ?? [language];
  return [language, script ?? found[1], region ?? found[2]].filter(Boolean).join('-');
}
