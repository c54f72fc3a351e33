import { WASI } from 'node:wasi';

/** 2020-01-01, in nanoseconds: what the clock of the build starts at. */
const BUILD_EPOCH_NS = 1_577_836_800_000_000_000n;

export interface BuildHost {
  /** The folder that the engine sees as `/`. */
  sourcesDirectory: string;
  /** An open file that the engine reads its arguments from. */
  stdin: number;
  environment: Record<string, string>;
}

/**
 * The WASI preview 1 host that the engine starts up on while it is built: Node's own, but with a clock and randomness that are
 * the same in every build, so that the same sources give the same engine, byte for byte, on every machine.
 */
export function createDeterministicWasi(host: BuildHost): {
  wasi: WASI;
  imports: (memory: () => WebAssembly.Memory) => WebAssembly.ModuleImports;
} {
  const wasi = new WASI({
    version: 'preview1',
    env: host.environment,
    preopens: { '/': host.sourcesDirectory },
    stdin: host.stdin,
    returnOnExit: false,
  });
  return { wasi, imports: (memory) => ({ ...wasi.wasiImport, ...fixedClockAndRandomness(memory) }) };
}

function fixedClockAndRandomness(memory: () => WebAssembly.Memory): WebAssembly.ModuleImports {
  let now = BUILD_EPOCH_NS;
  let random = 0x9e3779b9;
  return {
    clock_time_get(_clock: number, _precision: bigint, pointer: number): number {
      now += 1_000n;
      new DataView(memory().buffer).setBigUint64(pointer, now, true);
      return 0;
    },
    random_get(pointer: number, length: number): number {
      const bytes = new Uint8Array(memory().buffer, pointer, length);
      for (let i = 0; i < length; i++) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        bytes[i] = random >>> 24;
      }
      return 0;
    },
  };
}
