import { globSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECKOUT, CODE, codeFile } from '../support/code.ts';

const IMPORTED = /^(?:import|export) (?:[^;"]*? from )?"([^"]+)";$/gmu;
const FROM_PACKAGE = /^(?: {2})?\/\/ (node_modules\/(?:@[^/\n]+\/)?[^/\n]+)/gmu;

const textOf = (file: string): string => readFileSync(file, 'utf8');
const importsOf = (file: string): string[] => [...textOf(file).matchAll(IMPORTED)].map(([, name = '']) => name);

/** Files that are loaded with this one, and what is imported besides them. */
function loadedWith(entry: string): { files: Set<string>; others: Set<string> } {
  const [files, others] = [new Set([entry]), new Set<string>()];
  for (const file of files) {
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) files.add(resolve(dirname(file), name));
      else if (!name.startsWith('node:')) others.add(name);
    }
  }
  return { files, others };
}

function packagesIn(files: Iterable<string>): Set<string> {
  const found = [...files].flatMap((file) =>
    [...textOf(file).matchAll(FROM_PACKAGE)].map(([, path = '']) => path.slice('node_modules/'.length)),
  );
  return new Set(found);
}

/** The file that a command is in, of which other files import what they share. */
function commandFile(name: string): string {
  const [file = ''] = globSync(join(CODE, 'src', `${name}-*.js`));
  return file;
}

// While tests are watched there is no package.
describe.skipIf(CODE === CHECKOUT)('what is packed', () => {
  const scripts = readdirSync(join(CODE, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => join(CODE, 'src', name));
  const files = scripts.filter((name) => name.endsWith('.js'));

  test('help waits for a few files, and a command that reads a store loads no server, no client and no bundler', () => {
    const help = loadedWith(codeFile('src/main'));
    expect(help.files.size).toBeLessThan(8);
    expect([...packagesIn(help.files), ...help.others]).toEqual(['commander']);
    const list = loadedWith(commandFile('executions'));
    expect(list.files.size).toBeGreaterThan(5);
    const packages = [...packagesIn(list.files), ...list.others];
    expect(packages).toContain('zod');
    expect(packages.filter((name) => /^@modelcontextprotocol|^express$|^undici$|^esbuild$|^ajv$|^json-schema/u.test(name))).toEqual([]);
  });

  test('the executor and the parser are files of their own, with what they need in them and nothing that loads more', () => {
    const threads = {
      'src/execute/executor/executor': ['blake3', 'piscina'],
      'src/execute/worker/worker': ['blake3'],
      'src/bundle/scan-process': [],
      'src/bundle/scan-worker': [],
    };
    for (const [name, packages] of Object.entries(threads)) {
      const loaded = loadedWith(codeFile(name));
      expect([...loaded.others]).toEqual(packages);
      for (const file of loaded.files) {
        expect(dirname(file)).toBe(dirname(codeFile(name)));
        expect(textOf(file)).not.toMatch(/(?<!function )\b__require\(/u);
      }
    }
  });

  test('of each package that is in it the notice is there, with its licence', () => {
    const packages = packagesIn(files);
    expect(packages.size).toBeGreaterThan(50);
    const parts = textOf(join(CODE, 'THIRD-PARTY-NOTICES.txt')).split('-'.repeat(80));
    for (const name of packages) {
      const { version } = JSON.parse(textOf(join(CHECKOUT, 'node_modules', name, 'package.json'))) as { version: string };
      const notice = parts.find((part) => part.startsWith(`\n\n${name} ${version} (`));
      // The name alone is shorter than any licence.
      expect({ name, isLong: (notice?.length ?? 0) > 200 }).toEqual({ name, isLong: true });
    }
  });

  test('it says nothing of the machine that it was made on', () => {
    const all = [...files, join(CODE, 'THIRD-PARTY-NOTICES.txt')].map(textOf);
    for (const place of [`${CHECKOUT}/`, `${homedir()}/`]) expect(all.filter((text) => text.includes(place))).toEqual([]);
  });

  test('no error is called otherwise than in its source: its name is asked for', () => {
    const renamed = files.flatMap((file) =>
      [...textOf(file).matchAll(/^ *(?:(?:var|let|const) (\w*Error\d+) = class\b|class (\w*Error\d+) )/gmu)].map(([, a, b]) => a ?? b),
    );
    expect(renamed).toEqual([]);
  });
});
