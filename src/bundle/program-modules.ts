import { AMPOULE, AMPOULE_MODULE } from './ampoule-module.ts';
import { loadLibraryFile } from './library-files.ts';
import type { ModuleSource } from './module-source.ts';
import { type ModuleWorld, resolveAgentImport } from './specifiers.ts';
import type { WrapperLinker } from './wrapper-linker.ts';

/** What esbuild may read for an agent's code in `entry`: it, and the modules of its world. */
export function programModules(
  { world, root }: { readonly world: ModuleWorld; readonly root: string },
  entry: string,
  linker: WrapperLinker,
): ModuleSource {
  return {
    root,
    entry,
    resolve(specifier, kind) {
      if (kind === 'require') return { message: '`require` does not exist here.', hint: 'Write `import * as name from "..."`.' };
      const resolution = resolveAgentImport(specifier, world);
      switch (resolution.kind) {
        case 'ampoule':
          return AMPOULE;
        case 'wrapper':
          return { space: 'servers', path: resolution.path };
        case 'skill':
          return { space: 'skills', path: resolution.name };
        case 'library':
          return 'library';
        case 'refused':
          return { message: resolution.message, hint: resolution.hint };
      }
    },
    async load({ space, path }) {
      switch (space) {
        case 'ampoule':
          return { contents: AMPOULE_MODULE, loader: 'js' };
        case 'skills':
          return { contents: world.skills?.modules.get(path)?.code ?? '', loader: 'ts' };
        case 'servers':
          return { contents: await linker.load(path, world), loader: 'js' };
      }
    },
    loadLibrary: (path) => loadLibraryFile(path, root),
  };
}
