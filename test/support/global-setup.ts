import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import type { EngineFiles } from '../../src/engine/engine-files.ts';
import { openEngine } from '../../src/open-sandbox.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engine: EngineFiles;
    cacheDirectory: string;
  }
}

/** One engine for the whole suite: it is built when the guest, the contract or the meter have changed. */
export async function setup(project: TestProject): Promise<void> {
  const cacheDirectory = fileURLToPath(new URL('../../.cache', import.meta.url));
  project.provide('cacheDirectory', cacheDirectory);
  project.provide('engine', await openEngine(cacheDirectory));
}
