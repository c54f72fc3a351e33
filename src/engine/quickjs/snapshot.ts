import { linkEngine } from '../abi/link-engine.ts';
import { compileAll, recordPlan } from '../abi/record-plan.ts';
import type { EngineRecipe } from '../recipe.ts';
import { snapshotModule } from '../snapshot/snapshot-module.ts';
import { transpileComponent } from '../transpile.ts';
import { warmUpGuest } from '../warm-up-guest.ts';
import { finishComponent } from './finish-component.ts';

/** componentize-qjs exports its own initialization, which is over. */
const SPENT_EXPORT = 'init';

/**
 * The component after one run in it. componentize-qjs has taken its snapshot before the guest runtime was called for the first time;
 * ours replaces it.
 */
export async function snapshotQuickJs(component: Uint8Array, recipe: EngineRecipe): Promise<Uint8Array> {
  const { glue, modules } = await transpileComponent(component);
  const compiled = compileAll(modules);
  let calls = 0;
  const host = { callTool: () => ++calls, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };
  const plan = recordPlan(glue, compiled, recipe.sealed);
  const { guest, memory, globals } = linkEngine({ plan, modules: compiled }, () => host);
  const before = globals.map(({ value }) => value);
  warmUpGuest(guest);
  const settled = globals.filter(({ value }, index) => value === before[index]);
  if (settled.length < globals.length) throw new TypeError('a global of the engine has another value after a run than before');
  const owner = modules.get(recipe.memoryOwner) ?? new Uint8Array();
  const warm = snapshotModule(owner, new Uint8Array(memory.buffer), { spentExports: new Set(), settledGlobals: globals.length });
  return finishComponent(component, { from: owner, to: warm }, SPENT_EXPORT);
}
