import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { linkEngine, type EngineGlue } from '../abi/link-engine.ts';
import { GLUE_FILE } from '../engine-files.ts';
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
export async function snapshotQuickJs(component: Uint8Array, recipe: EngineRecipe, workDirectory: string): Promise<Uint8Array> {
  const files = await transpileComponent(component);
  const gluePath = join(workDirectory, 'unwarmed.mjs');
  await writeFile(gluePath, files.get(GLUE_FILE) ?? '');
  const glue = (await import(pathToFileURL(gluePath).href)) as EngineGlue;
  const wasm = [...files].filter(([name]) => name.endsWith('.wasm'));
  const modules = new Map(wasm.map(([name, bytes]) => [name, new WebAssembly.Module(bytes.slice())] as const));
  let calls = 0;
  const host = { callTool: () => ++calls, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };
  const { guest, memory, globals } = linkEngine({ glue, modules }, () => host);
  const before = globals.map(({ value }) => value);
  warmUpGuest(guest);
  const settled = globals.filter(({ value }, index) => value === before[index]);
  if (settled.length < globals.length) throw new TypeError('a global of the engine has another value after a run than before');
  const owner = files.get(recipe.memoryOwner) ?? new Uint8Array();
  const warm = snapshotModule(owner, new Uint8Array(memory.buffer), { spentExports: new Set(), settledGlobals: settled.length });
  return finishComponent(component, { from: owner, to: warm }, SPENT_EXPORT);
}
