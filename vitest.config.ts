import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { EngineKind } from './src/engine/recipe.ts';
import { asBuilt, builtPackage } from './test/support/built-code.ts';

/** What runs programs, and so is tested on every engine. How processes are started, supervised and shared out is the same for all. */
const ON_EVERY_ENGINE = [
  'test/e2e/programs.test.ts',
  'test/engine/contract.test.ts',
  'test/engine/abi/**/*.test.ts',
  'test/escape/**/*.test.ts',
  'test/execute/endings.test.ts',
  'test/execute/runs.test.ts',
  'test/host-functions/guest/**/*.test.ts',
  'test/language/**/*.test.ts',
  'test/pins/**/*.test.ts',
  'test/replay/replay-property.test.ts',
];

/**
 * What is the same code in front of both engines: the parser, the bundler and the checker, and `Intl` of the guest runtime, of which
 * `test/language` compares a part with Node on each.
 */
const ALIKE = ['test/escape/compile-*.test.ts', 'test/host-functions/guest/intl-*.test.ts'];

/** What computes and nothing else. */
const COMPUTES = ['config', 'discovery', 'drift', 'policy', 'result', 'session', 'skill', 'wrappers'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

/** What starts and ends threads with engines in the process of the test itself, on every engine: in a process that nothing else shares. */
const ALONE_ON_EVERY_ENGINE = ['test/execute/hibernation*.test.ts', 'test/execute/executor/pool.test.ts'];

/** What does so on any engine. */
const ALONE = [
  ...ALONE_ON_EVERY_ENGINE,
  'test/execute/{executor,worker}/**/*.test.ts',
  'test/execute/{leaving-workers,scripted-runs}.test.ts',
];

/** Who watches has the sources as they are saved. */
const built = process.argv.includes('run') ? builtPackage() : undefined;

interface Files {
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly isolate?: boolean;
}

/** Tests with one engine, which they get as `inject('engine')`. */
const project = (name: string, kind: EngineKind, files: Files): object => ({
  plugins: built === undefined ? [] : [asBuilt(built)],
  test: {
    name,
    ...files,
    globalSetup: [`test/support/with-${kind}.ts`],
    pool: 'forks',
    provide: { built },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Only there so that a failing test ends: on a busy machine a process may take seconds to do anything.
    expect: { poll: { timeout: 20_000 } },
    // Real processes on a busy machine: what fails by chance passes the second time, and is shown as `retry x1`. What is broken fails twice.
    retry: 1,
  },
});

export default defineConfig({
  test: {
    // One more than there are processors: much of the time is spent waiting for processes.
    maxWorkers: availableParallelism() + 1,
    // Files that share a process find in it what they import: to load that again takes half a second for each.
    projects: [
      project('computes', 'quickjs', { include: COMPUTES, isolate: false }),
      project('suite', 'quickjs', { include: ['test/**/*.test.ts'], exclude: [...COMPUTES, ...ALONE], isolate: false }),
      project('alone', 'quickjs', { include: ALONE }),
      project('starlingmonkey', 'starlingmonkey', { include: ON_EVERY_ENGINE, exclude: ALIKE, isolate: false }),
      project('starlingmonkey-alone', 'starlingmonkey', { include: ALONE_ON_EVERY_ENGINE }),
    ],
  },
});
