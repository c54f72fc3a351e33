import type { EngineKind } from '../src/engine/recipe.ts';

/** The product's engines. */
export const ENGINES = Object.keys({ quickjs: true, starlingmonkey: true } satisfies Record<EngineKind, true>) as EngineKind[];
