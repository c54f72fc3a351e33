import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import { type TrustedOptions, bundleTrusted } from './esbuild.ts';

type EngineKind = Config['engine'];

const ENTRIES: Readonly<Record<EngineKind, string>> = { starlingmonkey: 'main.ts', quickjs: 'quickjs.ts' };

const GUEST = new URL('../../host-functions/guest/', import.meta.url);

const OPTIONS: Readonly<Record<EngineKind, TrustedOptions>> = {
  starlingmonkey: { external: ['ampoule:sandbox/host'] },
  quickjs: {
    external: ['ampoule:sandbox/host'],
    bare: true,
    alias: {
      // The tables of East Asian encodings and of all host names would be most of the memory of every instance.
      '@exodus/bytes/encoding.js': '@exodus/bytes/encoding-lite.js',
      tr46: fileURLToPath(new URL('quickjs/domain-names.ts', GUEST)),
    },
  },
};

/**
 * The guest runtime for an engine, as one ES module that imports nothing but the four host functions. The same sources give the same
 * text on every machine: it is part of the engine's hash.
 */
export function bundleGuest(kind: EngineKind): Promise<string> {
  return bundleTrusted(fileURLToPath(new URL(ENTRIES[kind], GUEST)), OPTIONS[kind]);
}
