import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

type LibraryLoader = 'js' | 'ts' | 'json';

export type LibraryFile =
  | { readonly ok: true; readonly contents: string; readonly loader: LibraryLoader }
  | { readonly ok: false; readonly message: string };

const LOADERS: ReadonlyMap<string, LibraryLoader> = new Map([
  ['.js', 'js'],
  ['.mjs', 'js'],
  ['.cjs', 'js'],
  ['.ts', 'ts'],
  ['.mts', 'ts'],
  ['.cts', 'ts'],
  ['.json', 'json'],
]);

/**
 * Reads a file of an allowed library. `root` is the real folder of the operator's installation; whatever lies outside its
 * `node_modules`, by any link, is refused.
 */
export async function loadLibraryFile(path: string, root: string): Promise<LibraryFile> {
  const loader = LOADERS.get(extname(path));
  if (loader === undefined) {
    return { ok: false, message: `it needs a ${extname(path) || 'nameless'} file, and only JavaScript and JSON can be bundled` };
  }
  const real = await realpath(path);
  if (!real.startsWith(join(root, 'node_modules') + sep)) {
    return { ok: false, message: 'it lies outside of the node_modules of the installation' };
  }
  const contents = await readFile(real, 'utf8');
  // esbuild would follow the reference to a source map, which nobody needs here.
  return {
    ok: true,
    loader,
    contents: loader === 'json' ? contents : contents.replace(/\n\/[/*][#@]\s*sourceMappingURL=[^\n]*\s*$/u, '\n'),
  };
}

/** The package that a path with slashes or backslashes lies in. */
export function libraryOf(path: string): string | undefined {
  const rest = path.replaceAll('\\', '/').split('node_modules/').at(-1);
  if (rest === undefined || rest === path) return undefined;
  return rest
    .split('/')
    .slice(0, rest.startsWith('@') ? 2 : 1)
    .join('/');
}
