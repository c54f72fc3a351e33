import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { toSandboxError } from '../errors.ts';
import { modulesOf } from './abi/link-plan.ts';
import { compileAll, recordPlan } from './abi/record-plan.ts';
import { checkContract } from './contract.ts';
import { COMPONENT_FILE, fingerprint, MANIFEST_FILE, type EngineManifest } from './engine-files.ts';
import { meterModules } from './meter/meter.ts';
import { componentizeOnQuickJs } from './quickjs/componentize.ts';
import { MAXIMUM_PAGES, recipeOf } from './recipe.ts';
import { componentizeOnStarlingMonkey } from './starlingmonkey/componentize.ts';
import { readComponentWit, transpileComponent } from './transpile.ts';

const requestSchema = z.strictObject({
  kind: z.enum(['quickjs', 'starlingmonkey']),
  hash: z.string(),
  guestPath: z.string(),
  witPath: z.string(),
  workDirectory: z.string(),
  output: z.string(),
});

export type BuildRequest = z.output<typeof requestSchema>;
export const BUILD_STEPS = ['componentize', 'transpile', 'meter', 'write'] as const;
export type BuildStep = (typeof BUILD_STEPS)[number];
export type BuildMessage = { step: BuildStep } | { done: true } | { failed: { code: string; message: string; cause: string } };

/** The story of an engine: componentize, transpile, check the contract, meter, write. Runs in a child process of its own. */
async function buildEngine(request: BuildRequest): Promise<void> {
  const recipe = recipeOf(request.kind);
  report({ step: 'componentize' });
  const component = await componentize(request);
  report({ step: 'transpile' });
  const { glue, modules } = await transpileComponent(component);
  const contract = checkContract(await readComponentWit(component), modules, recipe.sealed);
  report({ step: 'meter' });
  const plan = recordPlan(glue, compileAll(modules), recipe.sealed);
  // What no instance is made of is of no use.
  const metered = meterModules(modulesOf(plan, modules), { owner: recipe.fuelOwner, maximumPages: MAXIMUM_PAGES });
  report({ step: 'write' });
  const files = new Map([...metered, [COMPONENT_FILE, component] as const]);
  for (const [name, bytes] of files) await writeFile(join(request.output, name), bytes);
  const hashes = Object.fromEntries([...files].map(([name, bytes]) => [name, fingerprint(bytes)]));
  const manifest: EngineManifest = {
    format: 2,
    kind: request.kind,
    hash: request.hash,
    files: hashes,
    plan,
    contract: { imports: [...contract.imports], exports: [...contract.exports] },
  };
  // Written last: a folder without a manifest is no engine.
  await writeFile(join(request.output, MANIFEST_FILE), JSON.stringify(manifest, null, 2));
}

async function componentize({ kind, guestPath, witPath, workDirectory }: BuildRequest): Promise<Uint8Array> {
  const [guest, wit] = await Promise.all([readFile(guestPath, 'utf8'), readFile(witPath, 'utf8')]);
  switch (kind) {
    case 'starlingmonkey':
      return componentizeOnStarlingMonkey(guest, wit, workDirectory);
    case 'quickjs':
      return componentizeOnQuickJs(guest, wit, recipeOf(kind), workDirectory);
  }
}

function report(message: BuildMessage): void {
  process.send?.(message);
}

// The gateway is gone: nobody waits for an engine any more.
process.once('disconnect', () => process.exit());
process.once('message', (message) => {
  buildEngine(requestSchema.parse(message))
    .then(() => report({ done: true }))
    .catch((thrown: unknown) => {
      const error = toSandboxError(thrown, 'ERR_ENGINE_BUILD');
      const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : '';
      report({ failed: { code: error.code, message: error.message, cause } });
    })
    .finally(() => process.disconnect());
});
