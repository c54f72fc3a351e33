import { FUEL_EXPORT, FUEL_IMPORT, HOST_TABLE_EXPORT } from '../meter/abi.ts';
import { connectGuest, type GuestExports, type TaskResults } from './core-guest.ts';
import { HOST_INTERFACE, lowerHostFunctions, type HostFunctions } from './core-host.ts';
import { GuestMemory } from './guest-memory.ts';

type InstantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/** The glue module that jco writes for an engine. Its exports are not used: see `connectGuest`. */
export interface EngineGlue {
  instantiate(
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: Record<string, unknown>,
    instantiateCore: InstantiateCore,
  ): unknown;
}

/** An engine as this process runs it. */
export interface CompiledEngine {
  readonly glue: EngineGlue;
  /** By the file names that the glue asks for. */
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
}

/** One linked instance of all core modules of an engine. */
export interface LinkedEngine {
  readonly guest: GuestExports;
  readonly memory: WebAssembly.Memory;
  /** Undefined for an engine without a meter. */
  readonly fuel: WebAssembly.Global | undefined;
  /** The host tables of its metered modules; see `meter/abi.ts`. */
  readonly hostTables: readonly WebAssembly.Table[];
  /** What the module that owns the memory exports as globals. */
  readonly globals: readonly WebAssembly.Global[];
}

/** The core exports by which the module with the guest contract is known. */
const CONTRACT_EXPORT = 'cabi_post_load';
/**
 * Import modules that no instance is connected to: WASI and the module loader, which componentize-qjs uses while it builds. In the
 * component they lead to stubs that trap.
 */
export const SEALED = /^(?:wasi[:_]|local:init\/|cm32p2\|)/;
const TASK_RETURN_MODULE = '[export]$root';
/** The one memory that holds the JavaScript engine; others, of stubs for imports that are never called, have no such export. */
const CONTRACT_MODULES_MEMORY = 'memory';

/**
 * A fresh instance: jco's glue makes and connects the core modules, and we step in at two places: the host functions go straight to
 * us, and so do the guest's exports.
 *
 * @param host where the four host functions lead, asked for at every call.
 */
export function linkEngine({ glue, modules }: CompiledEngine, host: () => HostFunctions): LinkedEngine {
  const results: TaskResults = { status: [] };
  const parts: Parts = { hostTables: [], globals: new Map() };
  const memory = (): GuestMemory => parts.guestMemory ?? missing('memory');
  const hostFunctions = lowerHostFunctions(host, memory);
  const taskReturns = {
    '[task-return]start': () => undefined,
    '[task-return]resume': () => undefined,
    '[task-return]status': (pointer: number, count: number) => void (results.status = memory().readStrings(pointer, count)),
  };
  const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, 0n);
  glue.instantiate(
    (name) => modules.get(name) ?? missing(`core module ${name}`),
    NO_IMPORTS,
    (module, given = {}) => {
      const imports: WebAssembly.Imports = { ...given, [FUEL_IMPORT.module]: { [FUEL_IMPORT.name]: parts.fuel ?? fuel } };
      for (const name of Object.keys(given)) if (SEALED.test(name)) imports[name] = seal(name, given[name]);
      if (imports[HOST_INTERFACE]) imports[HOST_INTERFACE] = hostFunctions;
      if (imports[TASK_RETURN_MODULE]) imports[TASK_RETURN_MODULE] = { ...imports[TASK_RETURN_MODULE], ...taskReturns };
      const instance = new WebAssembly.Instance(module, imports);
      collect(parts, instance.exports, imports);
      return instance;
    },
  );
  const { contract, guestMemory } = parts;
  if (!contract || !guestMemory) return missing('guest contract');
  return {
    guest: connectGuest(contract, guestMemory, results),
    memory: guestMemory.memory,
    fuel: parts.hostTables.length > 0 ? (parts.fuel ?? fuel) : undefined,
    hostTables: parts.hostTables,
    globals: parts.globals.get(guestMemory.memory) ?? [],
  };
}

interface Parts {
  readonly hostTables: WebAssembly.Table[];
  readonly globals: Map<WebAssembly.Memory, WebAssembly.Global[]>;
  contract?: WebAssembly.Exports;
  guestMemory?: GuestMemory;
  fuel?: WebAssembly.Global;
}

function collect(parts: Parts, exports: WebAssembly.Exports, imports: WebAssembly.Imports): void {
  const { [FUEL_EXPORT]: fuel, [HOST_TABLE_EXPORT]: table } = exports;
  if (fuel instanceof WebAssembly.Global) parts.fuel = fuel;
  if (table instanceof WebAssembly.Table) parts.hostTables.push(table);
  const { [CONTRACT_MODULES_MEMORY]: own } = exports;
  if (own instanceof WebAssembly.Memory) {
    parts.globals.set(
      own,
      Object.values(exports).filter((found) => found instanceof WebAssembly.Global),
    );
  }
  if (!(CONTRACT_EXPORT in exports)) return;
  parts.contract = exports;
  const memory = exports[CONTRACT_MODULES_MEMORY] ?? imports['env']?.[CONTRACT_MODULES_MEMORY];
  const realloc = exports['cabi_realloc'];
  if (!(memory instanceof WebAssembly.Memory) || typeof realloc !== 'function') missing('memory');
  else parts.guestMemory = new GuestMemory(memory, realloc as never);
}

function seal(from: string, functions: WebAssembly.ModuleImports = {}): WebAssembly.ModuleImports {
  const trap = (name: string) => (): never => {
    throw new TypeError(`the engine called ${from} ${name}, which a sealed program cannot reach`);
  };
  return Object.fromEntries(Object.keys(functions).map((name) => [name, trap(name)]));
}

/** jco asks for the host functions when it links; the ones that the core modules get are ours. */
const NO_IMPORTS = {
  [HOST_INTERFACE]: { callTool: unreachable, readFile: unreachable, getState: unreachable, log: unreachable },
};

function unreachable(): never {
  throw new TypeError('a host function was called past the one that it was replaced with');
}

function missing(what: string): never {
  throw new TypeError(`the engine has no ${what}`);
}
