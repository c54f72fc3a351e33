import type { HostFunctions } from '../abi/core-host.ts';
import { linkEngine, type LinkedEngine } from '../abi/link-engine.ts';
import { modulesOf } from '../abi/link-plan.ts';
import { compileAll, recordPlan } from '../abi/record-plan.ts';
import { connectHost } from '../meter/host-table.ts';
import { meterModules } from '../meter/meter.ts';
import { MAXIMUM_PAGES, type EngineRecipe } from '../recipe.ts';
import { snapshotModule } from '../snapshot/snapshot-module.ts';
import { transpileComponent } from '../transpile.ts';
import { warmUpGuest } from '../warm-up-guest.ts';
import { clearFreeMemory } from './clear-free-memory.ts';
import { finishComponent } from './finish-component.ts';
import { limitRecursion } from './limit-recursion.ts';

const PAGE_BYTES = 65_536;

/** componentize-qjs exports its own initialization, which is over. */
const SPENT_EXPORT = 'init';

/**
 * The component after one run in it. componentize-qjs has taken its snapshot before the guest runtime was called for the first time;
 * ours replaces it.
 */
export async function snapshotQuickJs(component: Uint8Array, recipe: EngineRecipe): Promise<Uint8Array> {
  const { glue, modules } = await transpileComponent(component);
  const plan = recordPlan(glue, compileAll(modules), recipe.sealed);
  // The meter is what keeps memory from growing.
  const metered = meterModules(modulesOf(plan, modules), { owner: recipe.fuelOwner, maximumPages: MAXIMUM_PAGES });
  const linked = linkEngine({ plan, modules: compileAll(metered) }, warmUpHost());
  const growth = connectMeter(linked);
  const before = settings(linked);
  warmUpGuest(linked.guest);
  limitRecursion(linked.memory);
  growth.allowed = false;
  clearFreeMemory(linked.guest);
  if (settings(linked) !== before) throw new TypeError('a global of the engine has another value after a run than before');
  const owner = modules.get(recipe.memoryOwner) ?? new Uint8Array();
  const memory = new Uint8Array(linked.memory.buffer);
  const warm = snapshotModule(owner, memory, { spentExports: new Set(), settledGlobals: linked.globals.length });
  return finishComponent(component, { from: owner, to: warm }, SPENT_EXPORT);
}

/** The values of all globals but the fuel counter. */
function settings({ globals, fuel }: LinkedEngine): string {
  return globals
    .filter((global) => global !== fuel)
    .map(({ value }) => String(value))
    .join();
}

/** What the warm-up program calls leads nowhere. */
function warmUpHost(): () => HostFunctions {
  let calls = 0;
  const host = { callTool: () => ++calls, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };
  return () => host;
}

/** Fuel for ever, and memory that grows until it is forbidden. */
function connectMeter({ fuel, memory, hostTables }: LinkedEngine): { allowed: boolean } {
  const growth = { allowed: true };
  const host = {
    refuel: () => void (fuel.value = 1n << 60n),
    size: () => memory.buffer.byteLength / PAGE_BYTES,
    grow: (pages: number) => (growth.allowed ? memory.grow(pages) : -1),
  };
  for (const table of hostTables) connectHost(table, host);
  return growth;
}
