import { fileURLToPath } from 'node:url';
import { bundleTrusted } from './esbuild.ts';

const ENTRY = fileURLToPath(new URL('../../host-functions/guest/main.ts', import.meta.url));

/**
 * The guest runtime as one ES module that imports nothing but the four host functions. The same sources give the same text on
 * every machine: it is part of the engine's hash.
 */
export function bundleGuest(_kind: 'starlingmonkey' | 'quickjs'): Promise<string> {
  return bundleTrusted(ENTRY, ['ampoule:sandbox/host']);
}
