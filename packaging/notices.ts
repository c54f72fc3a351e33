import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE = /^(?:licen[cs]e|copying|notice)/iu;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** What the packages say of their licences whose code is in the files, by the paths of that code from the root. */
export function noticesOf(files: ReadonlySet<string>, root: string): string {
  const folders = new Set([...files].map(packageFolder).filter((folder) => folder !== undefined));
  const parts = [...folders].toSorted().map((folder) => noticeOf(join(root, folder)));
  return ['The files of this package contain code of these packages.\n', ...new Set(parts)].join(`\n${'-'.repeat(80)}\n\n`);
}

function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(path)?.[0];
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const texts = readdirSync(folder).filter((file) => LICENCE.test(file));
  return [`${name} ${version} (${license ?? 'see below'})\n`, ...texts.map((file) => readFileSync(join(folder, file), 'utf8'))].join('\n');
}
