import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const STORE_THREAD = join(import.meta.dirname, '../../src/execution/store/store-worker.ts');
const CACHE = join(import.meta.dirname, '../../.cache');

/** A program of a test that opens a store, as a file that starts quickly. */
export interface BundledChild extends AsyncDisposable {
  readonly folder: string;
  readonly file: string;
}

/** Two files, of the process and of its thread: what lives for a moment must not take longer to start. In the checkout, where its packages are. */
export async function bundledChild(name: string): Promise<BundledChild> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'killed-stores-'));
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`), STORE_THREAD],
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['blake3'],
    logLevel: 'error',
  });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  return { folder, file: join(folder, `${name}.js`), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
