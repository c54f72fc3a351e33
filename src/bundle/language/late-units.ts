import { fileURLToPath } from 'node:url';
import { bundleTrusted } from '../esbuild.ts';
import { lightenFormatJs } from './lighten-formatjs.ts';

/** What each unit is: what it imports, and what it gives. */
const UNITS: Readonly<Record<string, string>> = {
  canonical: "import { getCanonicalLocales } from '@formatjs/intl-getcanonicallocales'; unit.value = getCanonicalLocales;",
  Locale: "import { Locale } from '@formatjs/intl-locale'; unit.value = Locale;",
  NumberFormat: "import { NumberFormat } from '@formatjs/intl-numberformat'; unit.value = NumberFormat;",
  Decimal: "import { BigDecimal, Decimal } from '@formatjs/bigdecimal'; unit.value = { BigDecimal, Decimal };",
  PluralRules: "import { PluralRules } from '@formatjs/intl-pluralrules'; unit.value = PluralRules;",
  ListFormat: "import ListFormat from '@formatjs/intl-listformat'; unit.value = ListFormat;",
  RelativeTimeFormat: "import RelativeTimeFormat from '@formatjs/intl-relativetimeformat'; unit.value = RelativeTimeFormat;",
  DisplayNames: "import { DisplayNames } from '@formatjs/intl-displaynames'; unit.value = DisplayNames;",
  Segmenter: "import { Segmenter } from './segmenter.ts'; unit.value = Segmenter;",
};

/** What is in the image once, and that the units take from there: see the guest's `intl/late-unit.ts`. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  '@formatjs/intl-localematcher': ['ResolveLocale', 'LookupSupportedLocales'],
  '@formatjs/bigdecimal': ['BigDecimal', 'Decimal'],
  '@formatjs/intl-supportedvaluesof': ['supportedValuesOf'],
};

/**
 * The module `ampoule:late-units`: parts of `Intl` as texts that are evaluated at their first use. Evaluated in the image they would
 * take five times as much memory in every instance. A text is one line, the first: the runtime leaves frames of that line out of stacks.
 *
 * @throws Error when a text is not one line.
 */
export async function lateUnitsModule(): Promise<string> {
  const folder = fileURLToPath(new URL('../../../host-functions/guest/intl/', import.meta.url));
  const made = Object.fromEntries(Object.entries(SHARED).map(([name, members]) => [name, () => Promise.resolve(sharedModule(members))]));
  const texts = await Promise.all(
    Object.entries(UNITS).map(async ([name, text]) => {
      const { [packageOf(text)]: _, ...others } = made;
      const script = (await bundleTrusted({ text, folder }, { bare: true, oneLine: true, made: others, rewrite: lightenFormatJs })).trim();
      if (script.includes('\n')) throw new Error(`the unit ${name} is not one line`);
      return `${name}:${JSON.stringify(`(unit,shared)=>{"use strict";${script}}`)}`;
    }),
  );
  return `export const UNITS={${texts.join()}};`;
}

/** What a unit is made of is not taken from elsewhere. */
function packageOf(text: string): string {
  return /from '([^']+)'/.exec(text)?.[1] ?? '';
}

function sharedModule(members: readonly string[]): string {
  return `${members.map((member) => `export const ${member} = shared.${member};`).join('\n')}\nexport default shared.${members[0]};`;
}
