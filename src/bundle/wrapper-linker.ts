import { SandboxError } from '../errors.ts';
import { AMPOULE, AMPOULE_MODULE } from './ampoule-module.ts';
import { link } from './esbuild.ts';
import type { VirtualModule } from './module-source.ts';
import { type ModuleWorld, resolveWrapperImport } from './specifiers.ts';

const MAX_ENTRIES = 256;

/**
 * Links each imported wrapper and the files that it imports to one module, once per wrapper set: a server with a hundred
 * tools would otherwise cost every bundle two hundred questions of esbuild's.
 */
export class WrapperLinker {
  readonly #root: string;
  readonly #timeoutMs: number;
  readonly #linked = new Map<string, string>();

  constructor(root: string, timeoutMs: number) {
    this.#root = root;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * JavaScript with the exports of the wrapper file `path`, which imports nothing.
   * @throws SandboxError ERR_BUNDLE_FAILED when the generated text cannot be linked.
   */
  async load(path: string, world: ModuleWorld): Promise<string> {
    const key = `${world.wrappersHash}/${path}`;
    const known = this.#linked.get(key);
    if (known !== undefined) return known;
    const text = await this.#link(path, world);
    this.#linked.set(key, text);
    for (const oldest of this.#linked.keys()) {
      if (this.#linked.size <= MAX_ENTRIES) break;
      this.#linked.delete(oldest);
    }
    return text;
  }

  async #link(path: string, world: ModuleWorld): Promise<string> {
    const source = {
      root: this.#root,
      entry: path,
      resolve: (specifier: string, importer: string) => {
        const resolution = resolveWrapperImport(specifier, importer, world);
        if (resolution.kind === 'refused') return { message: resolution.message, hint: resolution.hint };
        return resolution.kind === 'wrapper' ? ({ space: 'servers', path: resolution.path } as const) : AMPOULE;
      },
      load: (module: VirtualModule) => (module.space === 'ampoule' ? AMPOULE_MODULE : (world.files.get(module.path) ?? '')),
    };
    const outcome = await link(source, this.#timeoutMs);
    if (outcome.ok) return outcome.script;
    const cause = outcome.errors.map(({ text, file, line }) => `${file}:${line}: ${text}`).join('\n');
    throw new SandboxError('ERR_BUNDLE_FAILED', `The generated wrapper "${path}" cannot be bundled.`, {
      hint: 'The operator can generate the wrappers again; other servers still work.',
      cause,
    });
  }
}
