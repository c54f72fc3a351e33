import type { OnResolveArgs, OnResolveResult, PartialMessage, Plugin, PluginBuild } from './esbuild.ts';
import type { LinkSource, ModuleSource, Refusal } from './module-source.ts';

const LIBRARY = Symbol('library');

/** Lets esbuild find what one wrapper imports: others, and nothing else. */
export function linkResolver(source: LinkSource): Plugin {
  return {
    name: 'link',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
        if (kind === 'entry-point') return { path, namespace: 'servers' };
        const resolved = source.resolve(path, importer);
        if ('message' in resolved) return refuse(resolved);
        return { path: resolved.path, namespace: resolved.space, sideEffects: false };
      });
      for (const space of ['servers', 'ampoule'] as const) {
        builder.onLoad({ filter: /.*/, namespace: space }, ({ path }) => ({
          contents: unmapped(source.load({ space, path })),
          loader: 'ts',
        }));
      }
    },
  };
}

/** Lets esbuild find what an agent's code imports, and nothing else. */
export function closedResolver(source: ModuleSource): Plugin {
  return {
    name: 'closed',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, async (request) => {
        if (request.pluginData === LIBRARY) return undefined;
        if (request.namespace === 'file') {
          const remote = /^(?:https?:)?\/\//u.test(request.path);
          return remote ? refuse({ message: 'it imports from the network', aboutLibrary: true }) : undefined;
        }
        const kind = request.kind.startsWith('require') ? 'require' : 'import';
        const resolved = source.resolve(request.path, kind);
        if (resolved === 'library') return resolveLibrary(builder, request, source.root);
        if ('message' in resolved) return refuse(resolved);
        return { path: resolved.path, namespace: resolved.space, sideEffects: false };
      });
      for (const space of ['servers', 'ampoule', 'skills'] as const) {
        builder.onLoad({ filter: /.*/, namespace: space }, async ({ path }) => {
          const { contents, loader } = await source.load({ space, path });
          return { contents: loader === 'js' ? contents : unmapped(contents), loader };
        });
      }
      builder.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
        const file = await source.loadLibrary(path);
        return file.ok ? { contents: file.contents, loader: file.loader } : refuse({ message: file.message, aboutLibrary: true });
      });
    },
  };
}

async function resolveLibrary(builder: PluginBuild, request: OnResolveArgs, root: string): Promise<OnResolveResult> {
  const { path, namespace, suffix, sideEffects, errors } = await builder.resolve(request.path, {
    kind: request.kind,
    resolveDir: root,
    pluginData: LIBRARY,
  });
  if (errors.length > 0) {
    return refuse({
      message: `The library "${request.path}" is allowed but cannot be found.`,
      hint: 'The operator has to install it, or its name leads to nothing in it.',
    });
  }
  return { path, namespace, suffix, sideEffects };
}

function refuse(refusal: Refusal): { errors: PartialMessage[] } {
  return { errors: [{ text: refusal.message, detail: refusal }] };
}

/** esbuild obeys the last `sourceMappingURL` comment, even to read `file:` addresses: this one leads nowhere. */
export function unmapped(text: string): string {
  return `${text}\n//# sourceMappingURL=none`;
}
