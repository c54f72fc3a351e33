import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

const TYPE_FILE = /\.d\.(?:[cm]?ts|[\w-]+\.ts)$/u;
const MAX_FILES = 5000;

/**
 * The declaration files of the allowed libraries, of what they depend on, and of the `@types` of both. Nothing else of the
 * installation can be read through it, and nothing outside of its `node_modules` by any link.
 */
export class LibraryTypes {
  readonly #root: string;
  readonly #allowed = new Set<string>();
  readonly #texts = new Map<string, string | undefined>();

  /** @param root - folder of the operator's installation */
  constructor(root: string, libraries: readonly string[]) {
    this.#root = join(realFolder(root), 'node_modules');
    for (const name of libraries) this.#allow(name);
  }

  /** The text of `path`, which is relative to `node_modules`. */
  readFile(path: string): string | undefined {
    if (!this.#isReadable(path)) return undefined;
    if (this.#texts.has(path)) return this.#texts.get(path);
    const text = this.#texts.size < MAX_FILES ? this.#read(path) : undefined;
    this.#texts.set(path, text);
    if (text !== undefined && path.endsWith('/package.json')) this.#allowDependencies(text);
    return text;
  }

  fileExists(path: string): boolean {
    return this.readFile(path) !== undefined;
  }

  directoryExists(path: string): boolean {
    if (path === '' || path === '@types' || /^@[^/]+$/u.test(path)) return this.#allowed.size > 0;
    return this.#allowed.has(packageOf(path)) && statSync(join(this.#root, path), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  #isReadable(path: string): boolean {
    if (path.split('/').includes('..')) return false;
    return (TYPE_FILE.test(path) || path.endsWith('/package.json')) && this.#allowed.has(packageOf(path));
  }

  #read(path: string): string | undefined {
    try {
      const real = realpathSync(join(this.#root, path));
      return real.startsWith(this.#root + sep) ? readFileSync(real, 'utf8') : undefined;
    } catch {
      return undefined;
    }
  }

  #allow(name: string): void {
    this.#allowed.add(name);
    this.#allowed.add(`@types/${name.replace(/^@(.+)\/(.+)$/u, '$1__$2')}`);
  }

  #allowDependencies(text: string): void {
    try {
      const { dependencies, peerDependencies } = JSON.parse(text) as Partial<Record<string, Record<string, unknown>>>;
      // The types of Node would bring its globals, which a program does not have.
      for (const name of Object.keys({ ...dependencies, ...peerDependencies })) if (!/^(?:@types\/)?node$/u.test(name)) this.#allow(name);
    } catch {
      // A package without a readable list has no dependencies.
    }
  }
}

function packageOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
