import { FUEL_EXPORT, FUEL_IMPORT, HOST_TABLE_EXPORT } from '../meter/abi.ts';
import { connectGuest, type GuestExports } from './core-guest.ts';
import { HOST_INTERFACE, lowerHostFunctions, type HostFunctions } from './core-host.ts';
import { GuestMemory } from './guest-memory.ts';
import type { LinkPlan, PlannedImport } from './link-plan.ts';

/** An engine as this process runs it. */
export interface CompiledEngine {
  readonly plan: LinkPlan;
  /** By file name. */
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
}

/** One linked instance of all core modules of an engine. */
export interface LinkedEngine {
  readonly guest: GuestExports;
  readonly memory: WebAssembly.Memory;
  readonly fuel: WebAssembly.Global;
  /** The host tables of its metered modules, none for an engine without a meter; see `meter/abi.ts`. */
  readonly hostTables: readonly WebAssembly.Table[];
  /** Where the stack of the engine's own functions ends just now; undefined when no module exports it. */
  readonly stackPointer: WebAssembly.Global | undefined;
  /** All globals that its modules export. */
  readonly globals: readonly WebAssembly.Global[];
}

type ImportValue = WebAssembly.ModuleImports[string];

/** The name that linkers give it. */
const STACK_POINTER = '__stack_pointer';
const TASK_RETURN = '[export]$root';

/** How async exports return (Component Model, canonical ABI): ours return nothing. */
const TASK_RETURNS: WebAssembly.ModuleImports = { '[task-return]start': () => undefined, '[task-return]resume': () => undefined };

/**
 * A fresh instance of an engine. Its core modules get each other's exports, the four host functions, the fuel counter, and nothing
 * else: any other import is a trap.
 *
 * @param host where the four host functions lead, asked for at every call.
 */
export function linkEngine({ plan, modules }: CompiledEngine, host: () => HostFunctions): LinkedEngine {
  const linked: { guestMemory?: GuestMemory } = {};
  const memory = (): GuestMemory => linked.guestMemory ?? missing('memory');
  const own: WebAssembly.Imports = {
    [HOST_INTERFACE]: lowerHostFunctions(host, memory),
    [TASK_RETURN]: TASK_RETURNS,
  };
  const made: WebAssembly.Exports[] = [];
  let fuel: WebAssembly.Global = new WebAssembly.Global({ value: 'i64', mutable: true }, 0n);
  for (const { module, imports } of plan.instances) {
    const given: WebAssembly.Imports = { [FUEL_IMPORT.module]: { [FUEL_IMPORT.name]: fuel } };
    for (const wanted of imports) (given[wanted.module] ??= {})[wanted.name] = resolve(wanted, made, own);
    const { exports } = new WebAssembly.Instance(modules.get(module) ?? missing(`core module ${module}`), given);
    made.push(exports);
    const counter = exports[FUEL_EXPORT];
    if (counter instanceof WebAssembly.Global) fuel = counter;
  }
  const contract = made[plan.contract] ?? missing('guest contract');
  const guestMemory = findMemory(contract, plan, made);
  linked.guestMemory = guestMemory;
  const all = made.flatMap((exports) => Object.entries(exports));
  return {
    guest: connectGuest(contract, guestMemory),
    memory: guestMemory.memory,
    fuel,
    hostTables: all.flatMap(([name, value]) => (name === HOST_TABLE_EXPORT && value instanceof WebAssembly.Table ? [value] : [])),
    stackPointer: made.map(({ [STACK_POINTER]: found }) => found).find((found) => found instanceof WebAssembly.Global),
    globals: all.flatMap(([, value]) => (value instanceof WebAssembly.Global ? [value] : [])),
  };
}

function resolve({ module, name, from }: PlannedImport, made: readonly WebAssembly.Exports[], own: WebAssembly.Imports): ImportValue {
  if (from) return made[from.instance]?.[from.export] ?? missing(`export ${from.export}`);
  return own[module]?.[name] ?? trapFor(`${module} ${name}`);
}

/** One for each import, whatever the number of instances: V8 makes code for every function that it imports. */
function trapFor(what: string): () => never {
  const known = traps.get(what);
  if (known) return known;
  const trap = (): never => {
    throw new TypeError(`the engine called ${what}, which a sealed program cannot reach`);
  };
  traps.set(what, trap);
  return trap;
}

const traps = new Map<string, () => never>();

/** The memory of the instance with the contract: its own, or the one that it was given. */
function findMemory(contract: WebAssembly.Exports, plan: LinkPlan, made: readonly WebAssembly.Exports[]): GuestMemory {
  const given = plan.instances[plan.contract]?.imports.map(({ from }) => from && made[from.instance]?.[from.export]) ?? [];
  const memory = [contract['memory'], ...given].find((value) => value instanceof WebAssembly.Memory);
  const realloc = contract['cabi_realloc'];
  if (!(memory instanceof WebAssembly.Memory) || typeof realloc !== 'function') return missing('memory');
  return new GuestMemory(memory, realloc as never);
}

function missing(what: string): never {
  throw new TypeError(`the engine has no ${what}`);
}
