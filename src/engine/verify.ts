import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkContract, type EngineContract } from './contract.ts';
import type { EngineFiles } from './engine-files.ts';
import { recipeOf } from './recipe.ts';
import { readComponentWit } from './transpile.ts';

/**
 * Reads the contract of a built engine again, from the component's bytes and the modules that run, not from what the build wrote
 * down about them. Loads jco, which takes a moment.
 *
 * @throws SandboxError ERR_ENGINE_CONTRACT
 */
export async function verifyEngine({ kind, component, directory, modules }: EngineFiles): Promise<EngineContract> {
  const wit = await readComponentWit(await readFile(component));
  const files = await Promise.all(modules.map(async (name) => [name, await readFile(join(directory, name))] as const));
  return checkContract(wit, new Map(files), recipeOf(kind).sealed);
}
