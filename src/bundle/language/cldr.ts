import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** A file of a package of Unicode's locale data, or of FormatJS's, as text. */
export async function readPackageFile(name: string, file: string): Promise<string> {
  const manifest = findPackageJSON(name, import.meta.url);
  if (manifest === undefined) throw new TypeError(`the package ${name} is not installed`);
  return readFile(join(dirname(manifest), file), 'utf8');
}

export async function readPackageJson<T>(name: string, file: string): Promise<T> {
  return JSON.parse(await readPackageFile(name, file)) as T;
}
