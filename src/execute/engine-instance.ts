import { FUEL_EXPORT, HOST_TABLE_EXPORT } from '../engine/meter/abi.ts';
import { connectHost } from '../engine/meter/host-table.ts';
import { MeterControl } from './meter-control.ts';

/** The guest contract of `host-functions/world.wit`, as jco hands it out. */
export interface GuestExports {
  load(script: string): string;
  start(input: string, options: string): void;
  resume(now: number, calls: Uint32Array, answers: string[]): void;
  status(): string[];
}

/** The four host functions. `readFile` throws an object with a `payload` for an error that the guest can catch. */
export interface HostFunctions {
  callTool(server: string, tool: string, args: string): number;
  readFile(path: string): Uint8Array;
  getState(): string;
  log(level: string, message: string): void;
}

type InstantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/** The glue module that jco writes for an engine. */
export interface EngineGlue {
  instantiate(
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: Record<string, unknown>,
    instantiateCore: InstantiateCore,
  ): GuestExports;
}

/** An engine ready to make instances from: compiled once for each process. */
export interface CompiledEngine {
  readonly glue: EngineGlue;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
}

/** One instance of the engine. It runs many programs, one after another, and each from a restored image. */
export interface EngineInstance {
  readonly guest: GuestExports;
  readonly meter: MeterControl;
  readonly memory: WebAssembly.Memory;
  /** Where the four host functions lead during a run. */
  host: HostFunctions;
}

/** Between runs nobody may call. */
const NO_HOST: HostFunctions = {
  callTool: refuse,
  readFile: refuse,
  getState: refuse,
  log: refuse,
};

/** A fresh instance, its memory at the engine's own image. Takes a few milliseconds. */
export function createEngineInstance(engine: CompiledEngine): EngineInstance {
  const found: { memory?: WebAssembly.Memory; fuel?: WebAssembly.Global; tables: WebAssembly.Table[] } = { tables: [] };
  const slot: { host: HostFunctions; meter?: MeterControl } = { host: NO_HOST };
  const guest = engine.glue.instantiate(
    (name) => coreModule(engine, name),
    hostImports(slot),
    (module, imports) => {
      const instance = new WebAssembly.Instance(module, imports);
      const { memory, [FUEL_EXPORT]: fuel, [HOST_TABLE_EXPORT]: table } = instance.exports;
      if (memory instanceof WebAssembly.Memory) found.memory = memory;
      if (fuel instanceof WebAssembly.Global) found.fuel = fuel;
      if (table instanceof WebAssembly.Table) found.tables.push(table);
      return instance;
    },
  );
  const { memory, fuel, tables } = found;
  if (!memory || !fuel || tables.length === 0) throw new TypeError('the engine has no memory, fuel counter or host table');
  const meter = new MeterControl(fuel, memory);
  for (const table of tables) connectHost(table, meter);
  return {
    guest,
    meter,
    memory,
    get host() {
      return slot.host;
    },
    set host(host) {
      slot.host = host;
    },
  };
}

/** Takes a run's host functions away again. */
export function disconnectHost(instance: EngineInstance): void {
  instance.host = NO_HOST;
}

function hostImports(slot: { host: HostFunctions }): Record<string, HostFunctions> {
  return {
    'ampoule:sandbox/host': {
      callTool: (server, tool, args) => slot.host.callTool(server, tool, args),
      readFile: (path) => slot.host.readFile(path),
      getState: () => slot.host.getState(),
      log: (level, message) => slot.host.log(level, message),
    },
  };
}

function coreModule(engine: CompiledEngine, name: string): WebAssembly.Module {
  const module = engine.modules.get(name);
  if (!module) throw new TypeError(`the engine has no core module ${name}`);
  return module;
}

function refuse(): never {
  throw new Error('a host function was called outside of a run');
}
