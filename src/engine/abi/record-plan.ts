import { CONTRACT_EXPORT, type LinkPlan, type PlannedImport, type PlannedInstance } from './link-plan.ts';
import { HOST_INTERFACE } from './core-host.ts';

type InstantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/** The module that jco writes to connect a component's core modules. */
export interface EngineGlue {
  instantiate(
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: Record<string, unknown>,
    instantiateCore: InstantiateCore,
  ): unknown;
}

interface Recorded extends PlannedInstance {
  /** Every value that it exports. */
  readonly exports: WebAssembly.Exports;
  /** The tables and memories that it gets, and the instances that they are from. */
  readonly shared: readonly { value: unknown; owner: number | undefined }[];
}

/**
 * Writes down how jco's glue connects an engine's core modules, so that instances can be made without it: the glue keeps books for
 * every call and every instance that ours do not need.
 *
 * Only what the guest contract needs is in the plan. What the engine imports for its initialization, which is over, is left open.
 *
 * @param sealed import modules to leave open.
 * @throws TypeError when no core module has the guest contract.
 */
export function recordPlan(glue: EngineGlue, modules: ReadonlyMap<string, WebAssembly.Module>, sealed: RegExp | null): LinkPlan {
  const names = new Map([...modules].map(([name, module]) => [module, name]));
  const recorded: Recorded[] = [];
  const owners = new Map<unknown, { instance: number; export: string }>();
  glue.instantiate(moduleOf(modules), { [HOST_INTERFACE]: hostStandIns() }, (module, imports = {}) => {
    const instance = new WebAssembly.Instance(module, imports);
    recorded.push({
      module: names.get(module) ?? '',
      imports: WebAssembly.Module.imports(module).map((wanted) => planImport(wanted, imports, owners, sealed)),
      exports: instance.exports,
      shared: Object.values(imports)
        .flatMap((group) => Object.values(group).filter(isShared))
        .map((value) => ({ value, owner: owners.get(value)?.instance })),
    });
    for (const [name, value] of Object.entries(instance.exports)) {
      // What is passed on belongs to the one who made it.
      if (!owners.has(value)) owners.set(value, { instance: recorded.length - 1, export: name });
    }
    return instance;
  });
  return prune(recorded);
}

function planImport(
  { module, name }: { module: string; name: string },
  imports: WebAssembly.Imports,
  owners: ReadonlyMap<unknown, { instance: number; export: string }>,
  sealed: RegExp | null,
): PlannedImport {
  const from = module === HOST_INTERFACE || sealed?.test(module) === true ? undefined : owners.get(imports[module]?.[name]);
  return { module, name, ...(from ? { from } : {}) };
}

function isShared(value: unknown): boolean {
  return value instanceof WebAssembly.Memory || value instanceof WebAssembly.Table;
}

/** The instances that the one with the contract needs, and those that only fill the tables and memories of these. */
function prune(recorded: readonly Recorded[]): LinkPlan {
  const contract = recorded.findIndex(({ exports }) => CONTRACT_EXPORT in exports);
  if (contract < 0) throw new TypeError('no core module has the guest contract');
  const needed = new Set<number>();
  const need = (index: number): void => {
    if (needed.has(index)) return;
    needed.add(index);
    for (const { from } of recorded[index]?.imports ?? []) if (from) need(from.instance);
  };
  need(contract);
  const state = new Set([...needed].flatMap((index) => Object.values(recorded[index]?.exports ?? {}).filter(isShared)));
  for (const [index, { exports, shared }] of recorded.entries()) {
    if (Object.keys(exports).length > 0 || !shared.some(({ value }) => state.has(value as WebAssembly.Memory))) continue;
    // What it puts into tables for others stays open.
    needed.add(index);
    for (const { owner } of shared) if (owner !== undefined) need(owner);
  }
  const kept = [...needed].toSorted((a, b) => a - b);
  const places = new Map(kept.map((index, place) => [index, place]));
  const instances = kept.flatMap((index) => recorded[index] ?? []);
  return {
    instances: instances.map(({ module, imports }) => ({ module, imports: imports.map((wanted) => replace(wanted, places)) })),
    contract: places.get(contract) ?? 0,
  };
}

/** The import with the new place of the instance that it comes from, or open when that one is not in the plan. */
function replace({ module, name, from }: PlannedImport, places: ReadonlyMap<number, number>): PlannedImport {
  const instance = from && places.get(from.instance);
  return from && instance !== undefined ? { module, name, from: { instance, export: from.export } } : { module, name };
}

function moduleOf(modules: ReadonlyMap<string, WebAssembly.Module>): (name: string) => WebAssembly.Module {
  return (name) => {
    const module = modules.get(name);
    if (!module) throw new TypeError(`the engine has no core module ${name}`);
    return module;
  };
}

/** Core modules, compiled, by the same names. */
export function compileAll(modules: ReadonlyMap<string, Uint8Array>): Map<string, WebAssembly.Module> {
  return new Map([...modules].map(([name, bytes]) => [name, new WebAssembly.Module(bytes.slice())] as const));
}

/** jco asks for the host functions when it links. */
function hostStandIns(): Record<string, () => never> {
  const never = (): never => {
    throw new TypeError('no guest runs while the plan is recorded');
  };
  return { callTool: never, readFile: never, getState: never, log: never };
}
