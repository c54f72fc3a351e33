import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from 'blake3';
import { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { linkPlanSchema, type LinkPlan } from './abi/link-plan.ts';
import type { EngineKind } from './recipe.ts';

/** A built engine: its core modules and its component are files. */
export interface EngineFiles {
  readonly kind: EngineKind;
  /** Blake3 over all inputs of the build, in hexadecimal. */
  readonly sources: string;
  /** Blake3 over what was built: not every build tool makes the same of the same inputs, and programs fit one image only. */
  readonly hash: string;
  readonly directory: string;
  /** How its core modules are connected. */
  readonly plan: LinkPlan;
  /** The standard component, not metered: what `ampoule build` adds a program to. */
  readonly component: string;
  /** File names of the metered core modules in `directory`. */
  readonly modules: readonly string[];
  readonly contract: { readonly imports: readonly string[]; readonly exports: readonly string[] };
}

export const COMPONENT_FILE = 'engine.component.wasm';
export const MANIFEST_FILE = 'manifest.json';

const manifestSchema = z.strictObject({
  format: z.literal(2),
  kind: z.enum(['quickjs', 'starlingmonkey']),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** File name to Blake3 of its bytes. */
  files: z.record(z.string().regex(/^[\w.-]+$/), z.string()),
  plan: linkPlanSchema,
  contract: z.strictObject({ imports: z.array(z.string()), exports: z.array(z.string()) }),
});

export type EngineManifest = z.output<typeof manifestSchema>;

/** Blake3 in hexadecimal. */
export function fingerprint(bytes: Uint8Array | string): string {
  return hash(bytes).toString('hex');
}

/**
 * The engine in `directory`, every file that will be executed checked against its hash, or undefined when there is none.
 *
 * @throws SandboxError ERR_ENGINE_CACHE when it is damaged.
 */
export async function readEngineFiles(directory: string, expectedHash: string): Promise<EngineFiles | undefined> {
  const text = await readFile(join(directory, MANIFEST_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = parseManifest(text);
  if (manifest?.hash !== expectedHash) throw damaged('its manifest');
  if (!(COMPONENT_FILE in manifest.files)) throw damaged('its manifest');
  await Promise.all(
    Object.entries(manifest.files).map(async ([name, expected]) => {
      const bytes = await readFile(join(directory, name)).catch(() => undefined);
      if (bytes === undefined || fingerprint(bytes) !== expected) throw damaged(name);
    }),
  );
  const modules = Object.keys(manifest.files).filter((name) => name.endsWith('.wasm') && name !== COMPONENT_FILE);
  return {
    kind: manifest.kind,
    sources: manifest.hash,
    hash: builtHash(manifest),
    directory,
    plan: manifest.plan,
    component: join(directory, COMPONENT_FILE),
    modules,
    contract: manifest.contract,
  };
}

/** {@link EngineFiles.hash}, as far as the manifest can be believed. */
export function builtHash({ files, plan }: Pick<EngineManifest, 'files' | 'plan'>): string {
  return fingerprint([...Object.values(files).toSorted(), JSON.stringify(plan)].join());
}

/** Undefined when the text is no manifest of this version. */
export function parseManifest(text: string): EngineManifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function damaged(what: string): SandboxError {
  return new SandboxError('ERR_ENGINE_CACHE', `The cached engine is damaged: ${what} does not match.`, {
    hint: 'It is built again; delete the cache folder if this comes back.',
  });
}
