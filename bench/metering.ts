import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transpile } from '@bytecodealliance/jco';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import { createEngineInstance, type EngineGlue, type GuestExports } from '../src/execute/engine-instance.ts';
import { geometricMean, median } from './measure.ts';
import { PROGRAMS, script } from './programs.ts';

const ROUNDS = 15;
const WARM_UP = 5;
const PLENTY = { fuel: 1e15, pages: 0, maximumPages: 4096, activeMs: 600_000, interrupt: new Int32Array(1) };
const OPTIONS = JSON.stringify({
  now: 0,
  seed: '0'.repeat(64),
  maxResultBytes: 1e6,
  maxStateBytes: 1e6,
  maxLogBytes: 65_536,
  maxToolArgumentBytes: 1e6,
});

export interface MeteringReport {
  /** Run time with the meter over run time without it, by program. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly geometricMean: number;
  /** Different fuel counts in 100 runs of one program from the same image. One is what it must be. */
  readonly fuelCounts: number;
}

/** Each program on both engines in turn, so that a change of the machine's speed meets both. */
export async function measureMetering(engine: EngineFiles): Promise<MeteringReport> {
  const glue = (await import(pathToFileURL(engine.glue).href)) as EngineGlue;
  const metered = await compile(
    new Map(await Promise.all(engine.modules.map(async (name) => [name, await readFile(join(engine.directory, name))] as const))),
  );
  const { files } = await transpile(await readFile(engine.component), { name: 'engine', instantiation: 'sync', noTypescript: true });
  const plain = await compile(new Map(Object.entries(files).filter(([name]) => name.endsWith('.wasm'))));
  const ratios: Record<string, number> = {};
  for (const [name, body] of Object.entries(PROGRAMS)) {
    const times: { with: number[]; without: number[] } = { with: [], without: [] };
    for (let round = 0; round < ROUNDS + WARM_UP; round++) {
      const guests = { with: meteredGuest(glue, metered), without: plainGuest(glue, plain) };
      for (const form of ['with', 'without'] as const) {
        const took = run(guests[form], body);
        if (round >= WARM_UP) times[form].push(took);
      }
    }
    ratios[name] = median(times.with) / median(times.without);
  }
  return { ratios, geometricMean: geometricMean(Object.values(ratios)), fuelCounts: countFuel(glue, metered) };
}

function countFuel(glue: EngineGlue, modules: Modules): number {
  const counts = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const instance = createEngineInstance({ glue, modules });
    instance.meter.begin({ ...PLENTY, pages: instance.memory.buffer.byteLength / 65_536 });
    run(instance.guest, PROGRAMS['json'] ?? '');
    counts.add(instance.meter.fuelUsed);
  }
  return counts.size;
}

type Modules = ReadonlyMap<string, WebAssembly.Module>;

async function compile(files: ReadonlyMap<string, Uint8Array>): Promise<Modules> {
  return new Map(await Promise.all([...files].map(async ([name, bytes]) => [name, await WebAssembly.compile(bytes)] as const)));
}

function meteredGuest(glue: EngineGlue, modules: Modules): GuestExports {
  const instance = createEngineInstance({ glue, modules });
  instance.meter.begin({ ...PLENTY, pages: instance.memory.buffer.byteLength / 65_536 });
  return instance.guest;
}

function plainGuest(glue: EngineGlue, modules: Modules): GuestExports {
  const none = (): never => {
    throw new Error('the benchmark programs call no host function');
  };
  const imports = { 'ampoule:sandbox/host': { callTool: none, readFile: none, getState: none, log: none } };
  return glue.instantiate(
    (name) => {
      const module = modules.get(name);
      if (!module) throw new TypeError(`no module ${name}`);
      return module;
    },
    imports,
    (module, own) => new WebAssembly.Instance(module, own),
  );
}

function run(guest: GuestExports, body: string): number {
  guest.load(script(body));
  const began = performance.now();
  guest.start('null', OPTIONS);
  const [head = ''] = guest.status();
  const took = performance.now() - began;
  if (!head.includes('completed')) throw new Error(`a benchmark program failed: ${head}`);
  return took;
}
