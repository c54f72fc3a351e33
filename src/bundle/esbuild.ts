import { dirname } from 'node:path';
import * as esbuild from 'esbuild';
import { SandboxError } from '../errors.ts';
import type { BuildMessage, BuildOutcome, LinkSource, ModuleSource, Refusal } from './module-source.ts';

/** The program in messages and source maps. */
export const ENTRY_FILE = 'agent:program';

const MAX_ATTEMPTS = 3;
const LIBRARY = Symbol('library');
const SERVICE_GONE = /^(?:The service (?:was stopped|is no longer running)|write EPIPE|spawn )/u;
const DIALECT = { target: 'es2024', supported: { 'dynamic-import': false, using: false }, charset: 'utf8' } as const;
const DEFINED = { 'process.env.NODE_ENV': '"production"' };

// esbuild keeps one child process per Node process; so does this module. `generation` counts its replacements.
let generation = 0;
let users = 0;
// `esbuild.stop` leaves the promises of running builds unsettled for ever: these end the wait for them.
const running = new Set<() => void>();

/** Takes part in esbuild's child process until disposed of; the last one out ends it. */
export function openEsbuild(): Disposable {
  users += 1;
  let open = true;
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      users -= 1;
      if (users === 0) replaceService(generation);
    },
  };
}

/**
 * Bundles to one script, between `banner` and `footer`.
 * @throws SandboxError ERR_BUNDLE_FAILED after `timeoutMs`, or when the child process dies again and again.
 */
export function build(source: ModuleSource, wrap: { banner: string; footer: string }, timeoutMs: number): Promise<BuildOutcome> {
  return withService(timeoutMs, async () => {
    const result = await esbuild.build({
      ...DIALECT,
      absWorkingDir: source.root,
      stdin: { contents: unmapped(source.entry), loader: 'ts', sourcefile: ENTRY_FILE },
      outfile: 'program.js',
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      mainFields: ['browser', 'module', 'main'],
      nodePaths: [],
      tsconfigRaw: '{}',
      define: DEFINED,
      sourcemap: 'external',
      sourcesContent: false,
      legalComments: 'none',
      treeShaking: true,
      logLevel: 'silent',
      logLimit: 20,
      banner: { js: wrap.banner },
      footer: { js: wrap.footer },
      plugins: [closedResolver(source)],
    });
    const [map, script] = [textOf(result.outputFiles, '.map'), textOf(result.outputFiles, '.js')];
    return { ok: true, script, map, warnings: result.warnings.map(toMessage) };
  });
}

/** Links virtual TypeScript files to one JavaScript module; its map is empty. Throws as {@link build} does. */
export function link(source: LinkSource, timeoutMs: number): Promise<BuildOutcome> {
  return withService(timeoutMs, async () => {
    const result = await esbuild.build({
      ...DIALECT,
      absWorkingDir: source.root,
      entryPoints: [source.entry],
      bundle: true,
      write: false,
      format: 'esm',
      nodePaths: [],
      tsconfigRaw: '{}',
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [linkResolver(source)],
    });
    return { ok: true, script: result.outputFiles[0]?.text ?? '', map: '', warnings: [] };
  });
}

function linkResolver(source: LinkSource): esbuild.Plugin {
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

/**
 * One file of TypeScript to JavaScript: a whole program between `banner` and `footer`, or a part of one, to hear what esbuild thinks
 * of it or to lower what a function body cannot hold. Throws as {@link build} does.
 */
export function transform(text: string, timeoutMs: number, wrap?: { banner: string; footer: string }): Promise<BuildOutcome> {
  return withService(timeoutMs, async () => {
    const result = await esbuild.transform(unmapped(text), {
      ...DIALECT,
      loader: 'ts',
      sourcemap: 'external',
      sourcesContent: false,
      sourcefile: wrap === undefined ? 'program' : ENTRY_FILE,
      tsconfigRaw: '{}',
      legalComments: 'none',
      logLevel: 'silent',
      ...(wrap && { ...wrap, format: 'iife', platform: 'browser', define: DEFINED }),
    });
    return { ok: true, script: result.code, map: result.map, warnings: result.warnings.map(toMessage) };
  });
}

function textOf(files: readonly esbuild.OutputFile[], ending: string): string {
  return files.find((file) => file.path.endsWith(ending))?.text ?? '';
}

function closedResolver(source: ModuleSource): esbuild.Plugin {
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
      for (const space of ['servers', 'ampoule'] as const) {
        builder.onLoad({ filter: /.*/, namespace: space }, ({ path }) => source.load({ space, path }));
      }
      builder.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
        const file = await source.loadLibrary(path);
        return file.ok ? { contents: file.contents, loader: file.loader } : refuse({ message: file.message, aboutLibrary: true });
      });
    },
  };
}

async function resolveLibrary(
  builder: esbuild.PluginBuild,
  request: esbuild.OnResolveArgs,
  root: string,
): Promise<esbuild.OnResolveResult> {
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

function refuse(refusal: Refusal): { errors: esbuild.PartialMessage[] } {
  return { errors: [{ text: refusal.message, detail: refusal }] };
}

/** esbuild obeys the last `sourceMappingURL` comment, even to read `file:` addresses: this one leads nowhere. */
function unmapped(text: string): string {
  return `${text}\n//# sourceMappingURL=none`;
}

async function withService(timeoutMs: number, work: () => Promise<BuildOutcome>): Promise<BuildOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const seen = generation;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      replaceService(seen);
    }, timeoutMs);
    try {
      return await untilStopped(work());
    } catch (thrown) {
      if (late) throw timedOut(timeoutMs, thrown);
      if (!isServiceGone(thrown)) return { ok: false, errors: errorsOf(thrown) };
      replaceService(seen);
      if (attempt === MAX_ATTEMPTS || users === 0) {
        throw new SandboxError('ERR_BUNDLE_FAILED', 'The bundler stopped in the middle of its work.', { cause: thrown });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

async function untilStopped<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error('The service was stopped'));
  running.add(stop);
  try {
    return await Promise.race([work, promise]);
  } finally {
    running.delete(stop);
  }
}

/** Ends the child process, unless somebody else has since; the next build starts a new one. */
function replaceService(seen: number): void {
  if (seen !== generation) return;
  generation += 1;
  void esbuild.stop();
  for (const stop of running) stop();
}

function timedOut(timeoutMs: number, cause: unknown): SandboxError {
  const hint = 'Write the code in a plainer or shorter way, or import less.';
  return new SandboxError('ERR_BUNDLE_FAILED', `Bundling took longer than ${timeoutMs} ms.`, { hint, cause });
}

function isServiceGone(thrown: unknown): boolean {
  const messages = rawErrors(thrown)?.map(({ text }) => text) ?? [thrown instanceof Error ? thrown.message : ''];
  return messages.length === 1 && messages.some((message) => SERVICE_GONE.test(message));
}

function rawErrors(thrown: unknown): readonly esbuild.Message[] | undefined {
  const failure = thrown as Partial<esbuild.BuildFailure> | undefined;
  return thrown instanceof Error && Array.isArray(failure?.errors) ? failure.errors : undefined;
}

function errorsOf(thrown: unknown): BuildMessage[] {
  const errors = rawErrors(thrown);
  const ours: unknown = errors?.find(({ detail }) => detail instanceof SandboxError)?.detail;
  if (ours instanceof SandboxError) throw ours;
  if (errors === undefined || errors.length === 0) throw new SandboxError('ERR_BUNDLE_FAILED', 'The bundler failed.', { cause: thrown });
  return errors.map(toMessage);
}

function toMessage({ id, text, detail, location }: esbuild.Message): BuildMessage {
  const refusal = typeof detail === 'object' && detail !== null && 'message' in detail ? { refusal: detail as Refusal } : {};
  return { id, text, ...refusal, file: location?.file ?? '', line: location?.line ?? 1, column: location?.column ?? 0 };
}

/** How {@link bundleTrusted} treats what it takes in. */
export interface TrustedOptions {
  /** What stays an import. */
  readonly external: readonly string[];
  /** For an engine that brings no platform, neither a browser's nor Node's, and keeps the text of functions: made as short as can be. */
  readonly bare?: boolean;
  /** Other modules in the place of some, by the name that is imported. */
  readonly alias?: Readonly<Record<string, string>>;
}

/** Files of our own and the libraries that they name, from disk, as one ES module. */
export async function bundleTrusted(entry: string, options: TrustedOptions): Promise<string> {
  const { external, bare = false, alias = {} } = options;
  const result = await esbuild.build({
    ...DIALECT,
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    bundle: true,
    write: false,
    format: 'esm',
    external: [...external],
    alias: { ...alias },
    minify: bare,
    ...(bare ? { platform: 'neutral', mainFields: ['module', 'main'] } : {}),
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: '{}',
  });
  return result.outputFiles[0]?.text ?? '';
}
