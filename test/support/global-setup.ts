import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import type { EngineFiles } from '../../src/engine/engine-files.ts';
import { languageSchema } from '../../src/config/feature-schemas.ts';
import type { EngineKind } from '../../src/engine/recipe.ts';
import { openEngine } from '../../src/open-runtime.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engineKind: EngineKind;
    engine: EngineFiles;
    cacheDirectory: string;
    /** The package as it is packed: see `built-code.ts`. Undefined while tests are watched. */
    built: string | undefined;
  }
}

/** One engine for all tests of a project: it is built when the guest, the contract or the meter have changed. */
export async function provideEngine(project: TestProject, kind: EngineKind): Promise<void> {
  const cacheDirectory = fileURLToPath(new URL('../../.cache', import.meta.url));
  project.provide('cacheDirectory', cacheDirectory);
  project.provide('engineKind', kind);
  project.provide('engine', await openEngine({ engine: kind, language: languageSchema.parse({}) }, cacheDirectory));
}
