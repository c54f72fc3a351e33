import { LIMITS } from '../limits.ts';

/** Everything that is special to one JavaScript engine. The meter, the images and the guest contract know none of it. */
export interface EngineRecipe {
  readonly name: string;
  /** Engine features that would need a host function of their own. */
  readonly disableFeatures: readonly ('clocks' | 'fetch-event' | 'http' | 'random' | 'stdio')[];
  /** The core module that defines the fuel counter which all others share. */
  readonly fuelOwner: string;
  /** The core module that defines linear memory. */
  readonly memoryOwner: string;
}

/** SpiderMonkey for WebAssembly, as componentize-js ships it: no feature on, so no WASI import is left. */
export const STARLING_MONKEY: EngineRecipe = {
  name: 'starlingmonkey',
  disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
  fuelOwner: 'engine.core.wasm',
  memoryOwner: 'engine.core.wasm',
};

const PAGES_PER_MIB = 16;

/** The hard maximum of linear memory that is written into the binary, in 64 KiB pages. */
export const MAXIMUM_PAGES = LIMITS.memoryMb.maximum * PAGES_PER_MIB;
