import { SandboxError } from '../errors.ts';
import { AMPOULE, AMPOULE_MODULE } from './ampoule-module.ts';
import { link } from './esbuild.ts';
import type { VirtualModule } from './module-source.ts';
import { type ModuleWorld, resolveWrapperImport } from './specifiers.ts';

const MAX_ENTRIES = 1024;
/** How esbuild ends a module. */
const EXPORTS = /^export \{\n([^}]*)\};\n*$/mu;

/** A linked wrapper as an expression: an object with its exports. */
export interface WrapperObject {
  readonly expression: string;
  readonly names: ReadonlySet<string>;
}

/**
 * Links each imported wrapper and the files that it imports to one module, once per wrapper set: a server with a hundred
 * tools would otherwise cost every bundle two hundred questions of esbuild's.
 */
export class WrapperLinker {
  readonly #root: string;
  readonly #timeoutMs: number;
  readonly #linked = new Map<string, string>();
  readonly #objects = new Map<string, WrapperObject>();

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

  /** As {@link load}, in a form that is no module. */
  async loadObject(path: string, world: ModuleWorld): Promise<WrapperObject> {
    const text = await this.load(path, world);
    const known = this.#objects.get(text);
    if (known !== undefined) return known;
    const made = toObject(text);
    if (this.#objects.size >= MAX_ENTRIES) this.#objects.clear();
    this.#objects.set(text, made);
    return made;
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

/** What stands before a module in the expression of it. */
const HEAD = '(()=>{';

/** A linked module as an expression; its text begins `head` characters into that. */
export function toObject(module: string): WrapperObject & { readonly head: number } {
  const names = new Map((EXPORTS.exec(module)?.[1] ?? '').split(',').map((part) => exported(part.trim())));
  names.delete('');
  const properties = [...names].map(([name, local]) => `${name}:${local}`);
  const expression = `${HEAD}${module.replace(EXPORTS, '')}return{${properties.join()}};})()`;
  return { expression, names: new Set(names.keys()), head: HEAD.length };
}

/** `local as name`, or one name for both. */
function exported(part: string): [name: string, local: string] {
  const [local = '', name = local] = part.split(' as ');
  return [name, local];
}
