import { Collator } from './collator.ts';
import { DateTimeFormat } from './date-time-format.ts';
import { define, facade } from './facade.ts';
import { formatJs } from './formatjs.ts';
import { canonicalLocales } from './locales.ts';
import { installLocaleMethods } from './locale-methods.ts';
import { supportedValuesOf } from './supported-values.ts';

/** Puts `Intl` on the global object, and the methods that follow a locale in the place of the engine's. Runs when the engine is built. */
export function installIntl(): void {
  const intl = {};
  Object.defineProperty(intl, Symbol.toStringTag, { value: 'Intl', configurable: true });
  const functions = {
    getCanonicalLocales: (locales: unknown) => canonicalLocales(locales),
    supportedValuesOf: (key: unknown) => supportedValuesOf(key),
  };
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(value, 'name', { value: name, configurable: true });
    define(intl, name, value);
  }
  define(intl, 'DateTimeFormat', facade(DateTimeFormat, { name: 'DateTimeFormat', isCallable: true, length: 0 }));
  define(intl, 'Collator', facade(Collator, { name: 'Collator', isCallable: true, length: 0 }));
  for (const [name, value] of Object.entries(formatJs)) define(intl, name, value);
  define(globalThis, 'Intl', intl);
  installLocaleMethods();
}
