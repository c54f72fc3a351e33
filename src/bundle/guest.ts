import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import { bundleTrusted } from './esbuild.ts';
import { languageModule, type Language } from './language/language-module.ts';
import { lateUnitsModule } from './language/late-units.ts';
import { lightenFormatJs } from './language/lighten-formatjs.ts';
import type { TrustedOptions } from './trusted-options.ts';

type EngineKind = Config['engine'];

const ENTRIES: Readonly<Record<EngineKind, string>> = { starlingmonkey: 'starlingmonkey.ts', quickjs: 'quickjs.ts' };

const GUEST = new URL('../../host-functions/guest/', import.meta.url);

/** Which locale a program gets is for our own module to say: the package's best fit needs more text than all the rest of it. */
const LOCALE_MATCHER = { '@formatjs/intl-localematcher': fileURLToPath(new URL('intl/locale-matcher.ts', GUEST)) };

const OPTIONS: Readonly<Record<EngineKind, TrustedOptions>> = {
  starlingmonkey: { external: ['ampoule:sandbox/host'], alias: LOCALE_MATCHER },
  quickjs: {
    external: ['ampoule:sandbox/host'],
    bare: true,
    alias: {
      ...LOCALE_MATCHER,
      // The tables of East Asian encodings and of all host names would be most of the memory of every instance.
      '@exodus/bytes/encoding.js': '@exodus/bytes/encoding-lite.js',
      tr46: fileURLToPath(new URL('quickjs/domain-names.ts', GUEST)),
    },
  },
};

/**
 * The guest runtime for an engine, with the locales and time zones that the operator names, as one ES module that imports nothing but
 * the four host functions. The same sources and names give the same text on every machine: it is part of the engine's hash.
 */
export function bundleGuest(kind: EngineKind, language: Language): Promise<string> {
  return bundleTrusted(fileURLToPath(new URL(ENTRIES[kind], GUEST)), {
    ...OPTIONS[kind],
    made: { 'ampoule:language': () => languageModule(language), 'ampoule:late-units': lateUnitsModule },
    rewrite: lightenFormatJs,
  });
}
