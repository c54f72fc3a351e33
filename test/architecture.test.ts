import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  /** Importing file, from the project's root. */
  from: string;
  /** Imported file from the project's root, or a package name. */
  to: string;
  typeOnly: boolean;
}

/** The stages in the order of a run: a stage may know the types of those before it, and nothing of those after it. */
const STAGES = [
  'config',
  'access',
  'upstream',
  'learned',
  'wrappers',
  'skill',
  'check',
  'bundle',
  'drift',
  'engine',
  'component',
  'execute',
  'execution',
  'session',
  'quota',
  'audit',
  'policy',
  'discovery',
  'kept-result',
  'result',
  'server',
];

/** Each of these packages has temporary files, blocking calls or uncoded errors that must not leak: one place knows it. */
const ONE_IMPORTER: Record<string, string> = {
  '@bytecodealliance/componentize-js': 'src/engine/starlingmonkey/componentize.ts',
  '@bytecodealliance/jco': 'src/engine/transpile.ts',
  esbuild: 'src/bundle/esbuild.ts',
  'fastest-levenshtein': 'src/nearest-name.ts',
  minisearch: 'src/discovery/tool-index.ts',
  piscina: 'src/execute/executor/pool.ts',
  typescript: 'src/check/type-server.ts',
};

/** What the executor process is made of: it is a process of its own, so its entry wires the stages that run inside it. */
const EXECUTOR_WIRES = new Set(['component', 'engine']);

const imports = listImports(['src', 'host-functions']);

test('no file of a stage imports from a later stage', () => {
  const wrong = imports.filter(({ from, to }) => {
    const [here, there] = [stageOf(from), stageOf(to)];
    return here !== undefined && there !== undefined && STAGES.indexOf(there) > STAGES.indexOf(here);
  });
  expect(wrong).toEqual([]);
});

test('a stage imports only types of the stages before it, except in the executor process', () => {
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const [here, there] = [stageOf(from), stageOf(to)];
    if (here === undefined || there === undefined || here === there || typeOnly) return false;
    return !(here === 'execute' && EXECUTOR_WIRES.has(there));
  });
  expect(wrong).toEqual([]);
});

test('errors and limits import nothing', () => {
  expect(imports.filter(({ from }) => ['src/errors.ts', 'src/limits.ts'].includes(from))).toEqual([]);
});

test('the security boundary imports nothing of src', () => {
  expect(imports.filter(({ from, to }) => from.startsWith('host-functions/') && to.startsWith('src/'))).toEqual([]);
});

test.each(Object.entries(ONE_IMPORTER))('%s is imported by %s alone', (name, importer) => {
  const importers = new Set(imports.filter(({ to }) => to === name).map(({ from }) => from));
  expect([...importers]).toEqual([importer]);
});

test('only main.ts reads the arguments of the process or ends the gateway', () => {
  const allowed = new Set(['src/main.ts', 'src/engine/starlingmonkey/pre-initialize.ts', 'src/execute/executor/executor.ts']);
  // It gives a child process another environment than ours, and can do so only by this name.
  allowed.add('src/bundle/esbuild-service.ts');
  // It ends when the gateway has.
  allowed.add('src/engine/build-process.ts');
  const readers = sourceFiles('src').filter((file) => /(?<!['.\w])process\.(argv|env|exit)\b/.test(withoutComments(file)));
  expect(readers.filter((file) => !allowed.has(file))).toEqual([]);
});

test('no import is part of a cycle', () => {
  const edges = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly && to.endsWith('.ts')) edges.set(from, [...(edges.get(from) ?? []), to]);
  expect([...edges.keys()].map((file) => cycleFrom(file, edges)).filter((cycle) => cycle !== undefined)).toEqual([]);
});

function withoutComments(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '');
}

function stageOf(file: string): string | undefined {
  const folder = /^src\/([^/]+)\//.exec(file)?.[1];
  return folder !== undefined && STAGES.includes(folder) ? folder : undefined;
}

function listImports(folders: string[]): Import[] {
  return folders.flatMap(sourceFiles).flatMap((from) => {
    const text = readFileSync(join(ROOT, from), 'utf8');
    const statements = [...text.matchAll(/^(?:import|export)\s+(type\s+)?([^;'"]*?from\s+)?'([^']+)'/gm)];
    return statements.map(([, type, names, specifier = '']) => ({
      from,
      to: specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(from), specifier)) : packageName(specifier),
      typeOnly: type !== undefined || onlyTypes(names ?? ''),
    }));
  });
}

/** `{ type A, type B } from`: every name is a type. */
function onlyTypes(names: string): boolean {
  const listed =
    /\{([^}]*)\}/
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean) ?? [];
  return listed.length > 0 && listed.every((name) => name.startsWith('type '));
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function cycleFrom(start: string, edges: ReadonlyMap<string, string[]>): string[] | undefined {
  const seen = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    for (const next of edges.get(file) ?? []) {
      if (next === start) return [...path, file, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    return undefined;
  };
  return visit(start, []);
}
