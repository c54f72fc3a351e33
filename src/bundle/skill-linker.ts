import { buildModule } from './esbuild.ts';
import { programModules } from './program-modules.ts';
import { type SkillLookup, skillLookup } from './skill-places.ts';
import { LineTable } from './source-text.ts';
import type { ModuleWorld } from './specifiers.ts';
import { toObject, type WrapperLinker } from './wrapper-linker.ts';

const MAX_ENTRIES = 64;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Skills as one expression: an object with a module for each name. */
export interface SkillObject {
  readonly expression: string;
  /** The property of each skill. */
  readonly properties: ReadonlyMap<string, string>;
  /** The place in a skill for an offset in `expression`. */
  locate(offset: number): ReturnType<SkillLookup>;
}

interface Entry {
  readonly object: SkillObject | undefined;
  readonly size: number;
}

/**
 * Links the skills that a program imports, with all that these import, once for all programs that import the same. They are linked
 * together and not one by one, so that a skill that two others import is there once.
 */
export class SkillLinker {
  readonly #root: string;
  readonly #wrappers: WrapperLinker;
  readonly #timeoutMs: number;
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  constructor(root: string, wrappers: WrapperLinker, timeoutMs: number) {
    [this.#root, this.#wrappers, this.#timeoutMs] = [root, wrappers, timeoutMs];
  }

  /** The skills of these names; undefined when something is wrong with them, which the bundling of the whole program explains. */
  async load(names: readonly string[], world: ModuleWorld): Promise<SkillObject | undefined> {
    const key = JSON.stringify([world.wrappersHash, world.skills?.hash, names]);
    const known = this.#entries.get(key);
    if (known !== undefined) return known.object;
    const object = await this.#link(names, world);
    this.#keep(key, { object, size: object?.expression.length ?? 0 });
    return object;
  }

  #keep(key: string, entry: Entry): void {
    if (entry.size > MAX_CHARACTERS) return;
    this.#entries.set(key, entry);
    this.#size += entry.size;
    for (const [oldest, { size }] of this.#entries) {
      if (this.#entries.size <= MAX_ENTRIES && this.#size <= MAX_CHARACTERS) return;
      this.#entries.delete(oldest);
      this.#size -= size;
    }
  }

  async #link(names: readonly string[], world: ModuleWorld): Promise<SkillObject | undefined> {
    const properties = new Map(names.map((name, at) => [name, `skill${at}`]));
    const entry = [...properties].map(([name, property]) => `export * as ${property} from "skills/${name}";`).join('\n');
    const outcome = await buildModule(programModules({ world, root: this.#root }, entry, this.#wrappers), this.#timeoutMs);
    if (!outcome.ok || outcome.warnings.some(({ id }) => id === 'import-is-undefined')) return undefined;
    const { expression, head } = toObject(outcome.script);
    const lookup = skillLookup(outcome.map, world.skills);
    let lines: LineTable | undefined;
    return {
      expression,
      properties,
      locate(offset) {
        lines ??= new LineTable(outcome.script, 'script');
        const at = offset - head;
        if (at < 0 || at >= outcome.script.length) return undefined;
        const { line, column } = lines.placeAt(at);
        return lookup(line, column);
      },
    };
  }
}
