import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { EngineKind } from './src/engine/recipe.ts';

/** What runs programs, and so is tested on every engine. */
const ON_EVERY_ENGINE = [
  'test/e2e/programs',
  'test/engine/contract',
  'test/engine/abi/',
  'test/escape',
  'test/execute',
  'test/host-functions/guest',
  'test/language',
  'test/pins',
].map((path) => `${path}**/*.test.ts`);

/** Tests with one engine, which they get as `inject('engine')`. */
const project = (name: string, kind: EngineKind, files: { include: string[]; exclude?: string[] }): object => ({
  test: {
    name,
    ...files,
    globalSetup: [`test/support/with-${kind}.ts`],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

export default defineConfig({
  test: {
    // One less would leave one on a machine of two, and much of the time is spent waiting for processes.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      project('suite', 'quickjs', { include: ['test/**/*.test.ts'] }),
      // Processes are supervised alike, whatever engine is in them.
      project('starlingmonkey', 'starlingmonkey', { include: ON_EVERY_ENGINE, exclude: ['test/execute/supervision.test.ts'] }),
    ],
  },
});
