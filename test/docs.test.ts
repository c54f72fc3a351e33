import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LIMITS } from '../src/limits.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].sort();

interface Manifest {
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const readme = read('README.md');
const manifest = JSON.parse(read('package.json')) as Manifest;
/** What declares the command line. */
const mainSource = [
  'src/main.ts',
  ...readdirSync(join(ROOT, 'src/cli'))
    .filter((name) => name.endsWith('-commands.ts'))
    .map((name) => `src/cli/${name}`),
]
  .map(read)
  .join('\n');

test.each(PAGES)('every link of %s leads to a file and a heading that exist', (page) => {
  expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
});

test.each(PAGES)('every file that %s names exists', (page) => {
  const named = [
    ...withoutFences(read(page)).matchAll(/`((?:src|test|host-functions|docs|examples|bench|packaging|\.ci)\/[\w./-]*)`/g),
  ].map(([, path = '']) => path);
  // The type check of agent code is announced as the stage that comes next.
  expect(named.filter((path) => path !== 'src/check/' && !existsSync(join(ROOT, path)))).toEqual([]);
});

test.each(PAGES)('every source file that %s names without its folder exists', (page) => {
  const sources = ['src', 'host-functions'].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }));
  const named = [...withoutFences(read(page)).matchAll(/`((?:[\w-]+\/)?[\w-]+\.ts)`/g)].map(([, name = '']) => name);
  // A server's wrappers have an index, and no file of ours has that name.
  const short = named.filter(
    (name) => !/^(?:src|test|host-functions|examples|bench|conformance|packaging|reliability)\/|^index\.ts$/.test(name),
  );
  expect(short.filter((name) => !sources.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test.each(PAGES)('%s has no placeholder and no path of a machine', (page) => {
  expect(read(page).match(/\b(?:TODO|FIXME|XXX|TBD)\b|\/(?:root|home|Users)\/\w/g) ?? []).toEqual([]);
});

test('the architecture names every folder of src as a stage, with its own heading', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const headings = headingsOf('docs/architecture.md');
  expect([...folders, 'host-functions'].filter((name) => !headings.has(name))).toEqual([]);
});

test('the threat model has every limit, once', () => {
  const section =
    read('docs/threat-model.md')
      .split(/^## /m)
      .find((part) => part.startsWith('Limits')) ?? '';
  const named = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name);
  expect(named.sort()).toEqual(Object.keys(LIMITS).sort());
});

test('the list of decisions has every decision', () => {
  const decisions = readdirSync(join(ROOT, 'docs/adr')).filter((name) => /^\d{4}-/.test(name));
  expect(
    linksOf('docs/adr/README.md')
      .filter((link) => /^\d{4}-/.test(link))
      .sort(),
  ).toEqual(decisions.sort());
});

test.each(readdirSync(join(ROOT, 'docs/adr')).filter((name) => /^\d{4}-/.test(name)))('the decision %s has all its parts', (name) => {
  const text = read(join('docs/adr', name));
  expect(text).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. `));
  expect(text).toMatch(/^Status: \w+(?:; .+)?\nDate: \d{4}-\d\d-\d\d$/m);
  const missing = ['Context', 'Options', 'Decision', 'Consequences'].filter((part) => !text.includes(`\n## ${part}\n`));
  expect(missing).toEqual([]);
});

test.each([
  ['package | why | where | install script', Object.keys(manifest.dependencies)],
  ['development package | why', Object.keys(manifest.devDependencies)],
])('the table of the README with the head "%s" has every such dependency, once, with its reason', (head, names) => {
  const table = new RegExp(`^\\| ${head.replaceAll('|', '\\|')} \\|\\n\\|[ |-]+\\|\\n((?:\\|.*\\n)+)`, 'm').exec(readme)?.[1] ?? '';
  const rows = [...table.matchAll(/^\| `([^`]+)` \| (\S.*) \|$/gm)];
  expect(rows.map(([, name]) => name)).toEqual([...names].sort());
});

test('every npm script that the README names exists', () => {
  const named = [...readme.matchAll(/\bnpm (?:--prefix \S+ )?run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
  const short = [...readme.matchAll(/\bnpm (test|start)\b/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  expect([...named, ...short].filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
});

test('the README shows every command and every option of the command line, and no other', () => {
  const section = readme.split(/^## /m).find((part) => part.startsWith('Command line')) ?? '';
  const commands = [...mainSource.matchAll(/program\.command\('(\w+)'\)/g)].map(([, name = '']) => name);
  const shown = [...section.matchAll(/^\| `ampoule (\w+)/gm)].map(([, name = '']) => name);
  expect([...new Set(shown)].sort()).toEqual(commands.sort());
  const options = [...mainSource.matchAll(/ption\('(?:-\w, )?(--[\w-]+)/g)].map(([, name = '']) => name);
  // The output of `build` is shown by its short name.
  const named = new Set(section.match(/--[a-z][\w-]*/g));
  expect([...named].filter((name) => !options.includes(name))).toEqual([]);
  expect(options.filter((name) => !named.has(name) && name !== '--output')).toEqual([]);
});

test('commands with `ampoule` anywhere in the documentation exist', () => {
  const commands = new Set([...mainSource.matchAll(/program\.command\('(\w+)'\)/g)].map(([, name = '']) => name));
  const used = PAGES.flatMap((page) =>
    [...read(page).matchAll(/(?:run -s ampoule -- |`ampoule )(\w+)/g)].map(([, name = '']) => [page, name] as const),
  );
  expect(used.filter(([, name]) => !commands.has(name) && name !== 'ready')).toEqual([]);
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, '');
}

function linksOf(page: string): string[] {
  const text = withoutFences(read(page)).replaceAll(/(?<!\[)`[^`\n]*`(?!\])/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
}

function leadsSomewhere(page: string, link: string): boolean {
  if (/^https?:/.test(link)) return true;
  const [path = '', heading] = link.split('#');
  const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, file))) return false;
  return heading === undefined || headingsOf(file).has(heading);
}

/** Headings of a page as the fragments that they have on GitHub. */
function headingsOf(page: string): Set<string> {
  const titles = [...withoutFences(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
