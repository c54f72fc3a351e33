import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const BUILDS = join(CHECKOUT, '.cache', 'built');
const UNUSED_AFTER_MS = 24 * 3_600_000;

/**
 * The project as it is packed: a few files of JavaScript, in `dist`. A process that Node starts from the sources spends up to a second on
 * finding them and on taking the types out, and the tests start hundreds. One build for each state of the sources, made when it is missing.
 * @returns the folder that stands for the package's
 */
export function builtPackage(): string {
  for (;;) {
    const sources = digestOfSources();
    const folder = join(BUILDS, sources);
    if (!existsSync(folder)) build(folder);
    // Somebody who saves a file meanwhile has made a mixture.
    if (digestOfSources() === sources) {
      utimesSync(folder, new Date(), new Date());
      return folder;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

function digestOfSources(): string {
  const digest = createHash('sha256');
  const files = globSync(['src/**', 'host-functions/**', 'packaging/**', 'package.json', 'package-lock.json'], {
    cwd: CHECKOUT,
    withFileTypes: true,
  });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.toSorted()) digest.update(`${relative(CHECKOUT, path)}\0`).update(readFileSync(path));
  return digest.digest('hex').slice(0, 32);
}

function build(folder: string): void {
  mkdirSync(BUILDS, { recursive: true });
  for (const entry of readdirSync(BUILDS).map((name) => join(BUILDS, name))) {
    if (Date.now() - statSync(entry).mtimeMs > UNUSED_AFTER_MS) rmSync(entry, { recursive: true, force: true });
  }
  const fresh = `${folder}.${process.pid}`;
  try {
    execFileSync(process.execPath, [join(CHECKOUT, 'packaging', 'main.ts'), join(fresh, 'dist')]);
    cpSync(join(CHECKOUT, 'package.json'), join(fresh, 'package.json'));
    renameSync(fresh, folder);
  } catch (error) {
    // Another run of the tests may have made the same meanwhile.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

interface KeyOfModule {
  readonly id: string;
}
type KeyGenerator = (module: KeyOfModule) => string | undefined;

/** Has the sources that a test loads take themselves for built ones: the processes and threads that they start are then the built ones. */
export function asBuilt(folder: string): object {
  const sources = join(CHECKOUT, 'src');
  // This one reads sources, and the built ones have what it found in them.
  const reader = join(sources, 'bundle', 'guest-sources.ts');
  const isSource = (id: string): boolean => id.startsWith(sources) && id.endsWith('.ts') && id !== reader;
  return {
    name: 'ampoule-as-built',
    enforce: 'pre',
    configureVitest: ({ defineCacheKeyGenerator }: { defineCacheKeyGenerator: (key: KeyGenerator) => void }) =>
      defineCacheKeyGenerator(({ id }) => (isSource(id) && readFileSync(id, 'utf8').includes('import.meta.url') ? folder : undefined)),
    transform: (code: string, id: string): string | undefined => {
      if (!isSource(id) || !code.includes('import.meta.url')) return undefined;
      const place = join(folder, 'dist', relative(CHECKOUT, id).replace(/\.ts$/, '.js'));
      return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href));
    },
  };
}
