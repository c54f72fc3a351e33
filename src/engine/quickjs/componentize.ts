import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { componentize } from 'componentize-qjs';
import { SandboxError } from '../../errors.ts';
import type { EngineRecipe } from '../recipe.ts';
import { snapshotQuickJs } from './snapshot.ts';

/**
 * The QuickJS engine component with `source` (the guest runtime, one ES module) already evaluated in it and gone the way of a run
 * once. WASI is stubbed: what asks for it traps.
 *
 * @param workDirectory an empty folder that the caller removes.
 * @throws SandboxError ERR_ENGINE_BUILD
 */
export async function componentizeOnQuickJs(source: string, wit: string, recipe: EngineRecipe, workDirectory: string): Promise<Uint8Array> {
  const witPath = join(workDirectory, 'wit');
  await mkdir(witPath);
  await writeFile(join(witPath, 'world.wit'), withAsyncExports(wit, recipe.asyncExports));
  const component = await runComponentize(source, witPath);
  return snapshotQuickJs(component, recipe);
}

async function runComponentize(jsSource: string, witPath: string): Promise<Uint8Array> {
  try {
    const { component } = await componentize({ witPath, jsSource, world: 'sandbox', stubWasi: true, sync: false });
    return component;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SandboxError('ERR_ENGINE_BUILD', `componentize-qjs could not build the engine: ${message.split('\n', 1)[0] ?? ''}`, {
      hint: 'The log has the whole output. Run `npm ci` again if packages are missing.',
      cause,
    });
  }
}

/** QuickJS runs promise jobs only in exports that are async functions: the contract is the same, its calling convention is not. */
function withAsyncExports(wit: string, names: readonly string[]): string {
  return names.reduce((text, name) => text.replace(`export ${name}: func(`, `export ${name}: async func(`), wit);
}
