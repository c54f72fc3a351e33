import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Bundler, createBundler } from '../../src/bundle/bundler.ts';
import type { Checker } from '../../src/check/checker.ts';
import { programKey } from '../../src/component/program-key.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { LIMITS } from '../../src/limits.ts';
import { openChecker, ROOT, shown, SIGNAL } from '../check/fixture.ts';
import { DEFAULT_RUN_LIMITS, resultOf, sharedExecutor } from '../support/executor.ts';

const FOLDER = new URL('./', import.meta.url);
const NODE = fileURLToPath(new URL('run-in-node.ts', FOLDER));
const PRELUDE = readFileSync(new URL('prelude.txt', FOLDER), 'utf8');
/** Makes the bundler take the way through esbuild. */
const NOT_PLAIN = '\nenum NotPlain {}\n';
const NO_WRAPPERS = { hash: '', files: new Map<string, string>(), tools: [] };

/** A program of `programs/<area>.txt`, after a line `//// name`, or `//// [engine] name` for one that only that engine runs as Node does. */
interface Program {
  readonly name: string;
  readonly engine: string | undefined;
  readonly code: string;
}

/**
 * Tests that every program of an area gives the same text on our engine, by both ways of the bundler, and on plain Node. A program may
 * use `show` and `tried` of `prelude.txt`; its last line is its `return`.
 */
export function compareWithNode(area: string, ours: Ours): void {
  const programs = readPrograms(area).filter(({ engine }) => engine === undefined || engine === inject('engineKind'));
  let node: readonly string[];
  beforeAll(async () => {
    node = await runOnNode(programs.map(({ code }) => code + PRELUDE));
  });
  test.each(programs.map((program, at) => ({ ...program, at })))('$name', async ({ code, at }) => {
    expect(await ours.problems(code + PRELUDE)).toEqual([]);
    const expected = node[at]?.split('\n');
    expect((await ours.run(code + PRELUDE)).split('\n')).toEqual(expected);
    expect((await ours.run(code + PRELUDE + NOT_PLAIN)).split('\n')).toEqual(expected);
  });
}

/** The checker, the bundler and the engine of a test file. */
export interface Ours {
  problems(code: string): Promise<string[]>;
  run(code: string): Promise<string>;
}

/** Opens them before the tests of the file: one of each is enough for all. */
export function openOurs(): Ours {
  let bundler: Bundler;
  let checker: Checker;
  let executor: SupervisedExecutor;
  beforeAll(async () => {
    checker = openChecker({ engine: inject('engineKind') });
    bundler = createBundler({
      libraries: [],
      engine: inject('engineKind'),
      resolveFrom: ROOT,
      maxSourceBytes: LIMITS.maxSourceBytes.default,
      maxBundleBytes: LIMITS.maxBundleBytes.maximum,
    });
    executor = await sharedExecutor();
  });
  afterAll(async () => {
    await Promise.all([checker.close(), bundler.close()]);
  });
  return {
    problems: async (code) => shown(await checker.check({ code, wrappers: NO_WRAPPERS }, SIGNAL)),
    run: async (code) => {
      const { script } = await bundler.bundle({ code, wrappers: NO_WRAPPERS }, SIGNAL);
      return String(resultOf(await executor.run(requestOf(script), () => Promise.reject(new Error('no tools')), SIGNAL)));
    },
  };
}

function requestOf(script: string): Parameters<SupervisedExecutor['run']>[0] {
  const program = { key: programKey({ script, engineHash: inject('engine').hash }), script };
  return { executionId: 'exe_test', program, input: 'null', state: '{}', limits: DEFAULT_RUN_LIMITS };
}

function readPrograms(area: string): Program[] {
  const text = readFileSync(new URL(`programs/${area}.txt`, FOLDER), 'utf8');
  const parts = text.matchAll(/^\/\/\/\/ (?:\[(?<engine>\w+)\] )?(?<name>.*)\n(?<code>[\s\S]*?)(?=^\/\/\/\/ |(?![\s\S]))/gmu);
  return [...parts].map(({ groups }) => ({ name: groups?.['name'] ?? '', engine: groups?.['engine'], code: groups?.['code'] ?? '' }));
}

/** What programs give on plain Node, in UTC. They become JavaScript there too: esbuild is one process of each that uses it, and here the bundler's. */
export function runOnNode(programs: readonly string[]): Promise<string[]> {
  const modules = programs.map((code) => code.replaceAll(/^return (?=.)/gmu, 'export default '));
  const options = { env: { TZ: 'UTC', LANG: 'en_US.UTF-8' }, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [NODE], options, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout) as string[]),
    );
    child.stdin?.end(JSON.stringify(modules));
  });
}
