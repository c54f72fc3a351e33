import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { linkEngine, type CompiledEngine } from '../src/engine/abi/link-engine.ts';
import type { GuestExports } from '../src/engine/abi/core-guest.ts';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import { transpileComponent } from '../src/engine/transpile.ts';
import { createEngineInstance } from '../src/execute/worker/engine-instance.ts';
import { geometricMean, median } from './measure.ts';
import { FUEL_PROGRAM, LANGUAGE_PROGRAM, METERING_PROGRAMS } from './metering-programs.ts';
import { script } from './programs.ts';

const ROUNDS = 11;
const WARM_UP = 4;
const FUEL_RUNS = 1_000;
const PAGE_BYTES = 65_536;
const PLENTY = { fuel: 1e15, maximumPages: 4096, activeMs: 600_000, interrupt: new Int32Array(1) };
const OPTIONS = JSON.stringify({
  now: 0,
  seed: '0'.repeat(64),
  maxResultBytes: 1e6,
  maxStateBytes: 1e6,
  maxLogBytes: 65_536,
  maxToolArgumentBytes: 1e6,
});
/** The other major version of Node, an optional dependency of the benchmarks. */
const OTHER_NODE = fileURLToPath(new URL('./optional/node_modules/node/bin/node', import.meta.url));
const COUNTS_ENTRY = fileURLToPath(new URL('./metering-counts.ts', import.meta.url));

export interface MeteringReport {
  /** Run time with the meter over run time without it, by program. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly geometricMean: number;
  /** Different fuel counts in 1,000 runs of one program in fresh instances. One is what it must be. */
  readonly fuelCounts: number;
}

/** Each program on the engine with and without its meter in turn, so that a change of the machine's speed meets both. */
export async function measureMetering(engine: EngineFiles): Promise<MeteringReport> {
  const metered = await compileMetered(engine);
  const plain = await compilePlain(engine);
  const ratios: Record<string, number> = {};
  for (const [name, body] of Object.entries(METERING_PROGRAMS)) {
    const times: { with: number[]; without: number[] } = { with: [], without: [] };
    for (let round = 0; round < ROUNDS + WARM_UP; round++) {
      const took = { with: run(meteredGuest(metered).guest, body), without: run(plainGuest(plain), body) };
      if (round < WARM_UP) continue;
      times.with.push(took.with);
      times.without.push(took.without);
    }
    ratios[name] = median(times.with) / median(times.without);
  }
  return { ratios, geometricMean: geometricMean(Object.values(ratios)), fuelCounts: await knownFuelCounts(engine) };
}

/** They take some seconds and do not change. */
async function knownFuelCounts(engine: EngineFiles): Promise<number> {
  const counts = known.get(engine.hash) ?? countFuel(engine, FUEL_RUNS);
  known.set(engine.hash, counts);
  return counts;
}

const known = new Map<string, Promise<number>>();

/** How many different counts of fuel the same program takes in `runs` fresh instances. */
export async function countFuel(engine: EngineFiles, runs: number): Promise<number> {
  const compiled = await compileMetered(engine);
  const counts = new Set<number>();
  for (let i = 0; i < runs; i++) counts.add(fuelOf(compiled, FUEL_PROGRAM));
  return counts.size;
}

/** The fuel that each program takes here. */
export async function countEachFuel(engine: MeteredEngine): Promise<Record<string, number>> {
  const compiled = await compileMetered(engine);
  const programs = { ...METERING_PROGRAMS, fuel: FUEL_PROGRAM, language: LANGUAGE_PROGRAM };
  return Object.fromEntries(Object.entries(programs).map(([name, body]) => [name, fuelOf(compiled, body)]));
}

export interface FuelComparison {
  /** Both versions of Node, this one first. */
  readonly versions: readonly [string, string];
  readonly programs: number;
  /** Programs that took another amount of fuel there than here. */
  readonly different: readonly string[];
}

/**
 * The same programs on the same engine under another Node. Undefined when it is not there.
 * @param node the path of its binary.
 */
export async function compareFuel(engine: EngineFiles, node: string = OTHER_NODE): Promise<FuelComparison | undefined> {
  if (!existsSync(node)) return undefined;
  const { directory, modules, plan } = engine;
  const here = await countEachFuel(engine);
  const run = promisify(execFile);
  const { stdout } = await run(node, [COUNTS_ENTRY, JSON.stringify({ directory, modules, plan })], { timeout: 120_000 });
  const there = JSON.parse(stdout) as { version: string; fuel: Record<string, number> };
  const different = Object.keys(here).filter((name) => here[name] !== there.fuel[name]);
  return { versions: [process.version, there.version], programs: Object.keys(here).length, different };
}

/** What has to be known of a built engine to run it. */
export type MeteredEngine = Pick<EngineFiles, 'directory' | 'modules' | 'plan'>;

async function compileMetered({ directory, modules, plan }: MeteredEngine): Promise<CompiledEngine> {
  const files = modules.map(async (name) => [name, await WebAssembly.compile(await readFile(join(directory, name)))] as const);
  return { plan, modules: new Map(await Promise.all(files)) };
}

/** The same modules before they were metered. */
async function compilePlain({ component, plan }: EngineFiles): Promise<CompiledEngine> {
  const { modules } = await transpileComponent(await readFile(component));
  const names = new Set(plan.instances.map(({ module }) => module));
  const needed = [...modules].filter(([name]) => names.has(name));
  const compiled = needed.map(async ([name, bytes]) => [name, await WebAssembly.compile(bytes.slice())] as const);
  return { plan, modules: new Map(await Promise.all(compiled)) };
}

function fuelOf(engine: CompiledEngine, body: string): number {
  const { guest, meter } = meteredGuest(engine);
  run(guest, body);
  return meter.fuelUsed;
}

function meteredGuest(engine: CompiledEngine): Pick<ReturnType<typeof createEngineInstance>, 'guest' | 'meter'> {
  const instance = createEngineInstance(engine);
  instance.meter.begin({ ...PLENTY, pages: instance.memory.buffer.byteLength / PAGE_BYTES });
  return instance;
}

function plainGuest(engine: CompiledEngine): GuestExports {
  const none = (): never => {
    throw new Error('the benchmark programs call no host function');
  };
  return linkEngine(engine, () => ({ callTool: none, readFile: none, getState: none, log: none })).guest;
}

/** Milliseconds from the start of a loaded program to its end. */
function run(guest: GuestExports, body: string): number {
  guest.load(script(body));
  const began = performance.now();
  guest.start('null', OPTIONS);
  const [head = ''] = guest.status();
  const took = performance.now() - began;
  if (!head.includes('completed')) throw new Error(`a benchmark program failed: ${head}`);
  return took;
}
