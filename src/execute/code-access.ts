import { lstatSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The packages that the executor's code imports. */
const PACKAGES = ['blake3', 'piscina', 'zod'];

/**
 * Flags of Node's permission model that let a process or a thread read code: ours, and the packages that the executor imports. No
 * other file, no writing, no child processes, no addons, no WASI, no inspector, and no network where Node can tell.
 */
export const CODE_ACCESS: readonly string[] = process.permission === undefined ? codeAccess() : inheritedAccess();

/** Lets the folder and all below it be read, also what will be there later. @throws TypeError when its path has a "*" in it. */
export function readFolder(folder: string): string {
  return readFile(join(folder, '*'), folder);
}

/** A process that is confined already may not look where the packages are, and was told. */
function inheritedAccess(): string[] {
  return process.execArgv.filter((flag) => flag === '--permission' || flag.startsWith('--allow-fs-read='));
}

function codeAccess(): string[] {
  // The folder of `src` and `host-functions`; in an installed package the one above it says that they are modules.
  const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
  const require = createRequire(import.meta.url);
  const packages = PACKAGES.flatMap((name) => [folderOf(require.resolve(name), name), ...linksTo(name, root)]);
  const folders = [join(root, 'src'), join(root, 'host-functions'), ...packages];
  const files = [root, dirname(root)].map((folder) => readFile(join(folder, 'package.json')));
  return ['--permission', ...new Set(folders.map((folder) => readFolder(folder))), ...files];
}

function readFile(file: string, named = file): string {
  // Node takes a star for "everything that begins like this", wherever it stands.
  if (named.includes('*')) throw new TypeError(`the path ${named} has a "*" in it, which Node's permission model takes for any name`);
  return `--allow-fs-read=${file}`;
}

/** Of a package, from the file that it is imported by. */
function folderOf(file: string, name: string): string {
  const inside = join('node_modules', name) + sep;
  const at = file.lastIndexOf(inside);
  return at < 0 ? dirname(file) : file.slice(0, at + inside.length - 1);
}

/** Where a package is found by a link, as some package managers have it, the link has to be read too. */
function linksTo(name: string, root: string): string[] {
  const found: string[] = [];
  for (let above = root; ; above = dirname(above)) {
    const modules = join(above, 'node_modules');
    found.push(...[modules, join(modules, name)].filter(isLink));
    if (dirname(above) === above) return found;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
