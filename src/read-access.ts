import { lstatSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of `src` and `host-functions`; in an installed package the one above it says that they are modules. */
const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** The code that a process consists of. */
export interface OwnCode {
  /** Folders of ours, from the one that holds `src`. */
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  /** Packages of which it also loads what they depend on. */
  readonly deepPackages?: readonly string[];
}

/**
 * Flags of Node's permission model that let a process or a thread read code, ours and that of packages. No other file, no writing, no
 * child processes, no addons, no WASI, no inspector, and no network where Node can tell. A process that is confined already gives what
 * it has itself: it may not look where packages are.
 */
export function codeAccess({ folders, packages, deepPackages = [] }: OwnCode): readonly string[] {
  if (process.permission !== undefined) return inheritedAccess();
  const shallow = packages.flatMap((name) => placesOf(name, ROOT));
  const deep = new Set<string>();
  for (const name of deepPackages) addDeeply(name, ROOT, deep);
  const all = new Set([...folders.map((folder) => join(ROOT, folder)), ...shallow, ...deep]);
  const files = [ROOT, dirname(ROOT)].map((folder) => readFile(join(folder, 'package.json')));
  return ['--permission', ...[...all].map((folder) => readFolder(folder)), ...files];
}

/** Lets the folder and all below it be read, also what will be there later. @throws TypeError when its path has a "*" in it. */
export function readFolder(folder: string): string {
  return readFile(join(folder, '*'), folder);
}

function inheritedAccess(): string[] {
  return process.execArgv.filter((flag) => flag === '--permission' || flag.startsWith('--allow-fs-read='));
}

function readFile(file: string, named = file): string {
  // Node takes a star for "everything that begins like this", wherever it stands.
  if (named.includes('*')) throw new TypeError(`the path ${named} has a "*" in it, which Node's permission model takes for any name`);
  return `--allow-fs-read=${file}`;
}

function addDeeply(name: string, importer: string, found: Set<string>): void {
  const [folder = '', ...links] = placesOf(name, importer);
  const isKnown = found.has(folder);
  // Node denies a link that another allowed path begins with, such as `regenerate` beside `regenerate-unicode-properties`.
  const around = importer === ROOT ? links : links.map((link) => (link.endsWith(name) ? link.slice(0, -name.length - 1) : link));
  for (const place of [folder, ...around]) found.add(place);
  if (isKnown) return;
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: object };
  for (const dependency of Object.keys(dependencies)) addDeeply(dependency, folder, found);
}

/** Where a package is that code in the folder imports: first its own folder, then the links on the way to it. */
function placesOf(name: string, importer: string): string[] {
  const file = createRequire(join(importer, 'package.json')).resolve(name);
  return [folderOf(file, name), ...linksTo(name, importer)];
}

/** Of a package, from the file that it is imported by. */
function folderOf(file: string, name: string): string {
  const inside = join('node_modules', name) + sep;
  const at = file.lastIndexOf(inside);
  return at < 0 ? dirname(file) : file.slice(0, at + inside.length - 1);
}

/** Where a package is found by a link, as some package managers have it, the link has to be read too. */
function linksTo(name: string, importer: string): string[] {
  const found: string[] = [];
  for (let above = importer; ; above = dirname(above)) {
    const modules = join(above, 'node_modules');
    found.push(...[modules, join(modules, name)].filter(isLink));
    if (dirname(above) === above) return found;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
