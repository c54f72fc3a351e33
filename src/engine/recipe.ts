import type { Config } from '../config/schema.ts';
import { LIMITS } from '../limits.ts';

/** The JavaScript engine that programs run in. */
export type EngineKind = Config['engine'];

/** Everything that is special to one JavaScript engine. The meter, the images and the guest contract know none of it. */
export interface EngineRecipe {
  readonly kind: EngineKind;
  /** The core module that defines the fuel counter which all others share; null: the host makes it. */
  readonly fuelOwner: string | null;
  /** The core module that defines the engine's linear memory. */
  readonly memoryOwner: string;
  /** Exports that the engine lifts as async functions: it runs promise jobs only in these. */
  readonly asyncExports: readonly string[];
  /**
   * Import modules of core modules that the component answers itself, with stubs that trap; instances are linked to a trap in their
   * place. Null when the core modules import the four host functions only.
   */
  readonly sealed: RegExp | null;
}

const RECIPES: Readonly<Record<EngineKind, EngineRecipe>> = {
  /** SpiderMonkey for WebAssembly, as componentize-js ships it. */
  starlingmonkey: {
    kind: 'starlingmonkey',
    fuelOwner: 'engine.core.wasm',
    memoryOwner: 'engine.core.wasm',
    asyncExports: [],
    sealed: null,
  },
  /** quickjs-ng, as componentize-qjs ships it: a dozen core modules around one memory. */
  quickjs: {
    kind: 'quickjs',
    fuelOwner: 'engine.core3.wasm',
    memoryOwner: 'engine.core.wasm',
    asyncExports: ['start', 'resume'],
    // WASI and the module loader, which componentize-qjs uses while it builds.
    sealed: /^(?:wasi[:_]|local:init\/|cm32p2\|)/,
  },
};

/** How to build an engine of this kind. */
export function recipeOf(kind: EngineKind): EngineRecipe {
  return RECIPES[kind];
}

const PAGES_PER_MIB = 16;

/** The hard maximum of linear memory that is written into the binary, in 64 KiB pages. */
export const MAXIMUM_PAGES = LIMITS.memoryMb.maximum * PAGES_PER_MIB;
