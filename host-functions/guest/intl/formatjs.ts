import { PLURALS } from 'ampoule:language';
import { stringOption } from './date-options.ts';
import { lateClass } from './late-class.ts';
import { availableLocales, dataTags, defaultLocale, localeDataOf } from './locale-data.ts';
import { LookupSupportedLocales, ResolveLocale } from './locale-matcher.ts';
import { canonicalLocales } from './locales.ts';
import type { Segmenter } from './segmenter.ts';

/** The members that FormatJS's classes keep their locales in. */
interface Library {
  localeData: object;
  availableLocales: Set<string>;
  __defaultLocale: string;
}

interface NumberData {
  readonly numbers: {
    readonly aliases?: Readonly<Record<string, string>>;
    readonly symbols: Record<string, unknown>;
    readonly decimal: Record<string, unknown>;
    readonly percent: Record<string, unknown>;
    readonly currency: Record<string, unknown>;
  };
}

/** Digits that are written like others share their data. */
function withAliases(data: NumberData): object {
  const { aliases = {}, symbols, decimal, percent, currency } = data.numbers;
  for (const system of Object.keys(aliases)) {
    for (const table of [symbols, decimal, percent, currency]) table[system] = table[aliases[system]];
  }
  return data;
}

function give(library: object, localeData: object): void {
  const owner = library as Library;
  owner.localeData = localeData;
  owner.availableLocales = availableLocales;
  owner.__defaultLocale = defaultLocale;
}

const LOCALE_GETTERS =
  'baseName calendar caseFirst collation firstDayOfWeek hourCycle language numberingSystem numeric region script variants';
const LOCALE_METHODS: Record<string, number> = { maximize: 0, minimize: 0, toString: 0 };
for (const name of LOCALE_GETTERS.split(' ')) LOCALE_METHODS[`get ${name}`] = 0;
for (const name of 'Calendars Collations HourCycles NumberingSystems TextInfo TimeZones WeekInfo'.split(' ')) {
  LOCALE_METHODS[`get${name}`] = 0;
}

/** What is evaluated late of `Intl`, as the standard has it: FormatJS's classes, and our `Segmenter`. */
export const formatJs: Readonly<Record<string, object>> = {
  NumberFormat: lateClass({
    name: 'NumberFormat',
    length: 0,
    methods: { resolvedOptions: 0, 'get format': 0, formatToParts: 1, formatRange: 2, formatRangeToParts: 2 },
    isCallable: true,
    prepare: (inner) => give(inner, localeDataOf('number', withAliases)),
  }),
  PluralRules: lateClass({
    name: 'PluralRules',
    length: 0,
    methods: { resolvedOptions: 0, select: 1, selectRange: 2 },
    prepare: (inner) => give(inner, Object.fromEntries([...dataTags].map(([tag, locale]) => [tag, PLURALS[locale]]))),
  }),
  ListFormat: lateClass({
    name: 'ListFormat',
    length: 0,
    methods: { format: 1, formatToParts: 1, resolvedOptions: 0 },
    prepare: (inner) => give(inner, localeDataOf('list')),
  }),
  RelativeTimeFormat: lateClass({
    name: 'RelativeTimeFormat',
    length: 0,
    methods: { format: 2, formatToParts: 2, resolvedOptions: 0 },
    prepare: (inner) => give(inner, localeDataOf('relative')),
  }),
  DisplayNames: lateClass({
    name: 'DisplayNames',
    length: 2,
    methods: { of: 1, resolvedOptions: 0 },
    prepare: (inner) => give(inner, localeDataOf('names')),
  }),
  Segmenter: lateClass({
    name: 'Segmenter',
    length: 0,
    methods: { segment: 1, resolvedOptions: 0 },
    prepare: (inner: typeof Segmenter) => {
      inner.image = { availableLocales, canonicalLocales, defaultLocale, stringOption, LookupSupportedLocales, ResolveLocale };
    },
  }),
  Locale: lateClass({ name: 'Locale', length: 1, methods: LOCALE_METHODS, isListing: false }),
};
