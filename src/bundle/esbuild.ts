import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as esbuild from 'esbuild';
import { SandboxError } from '../errors.ts';
import { MemoryWatch } from '../memory-watch.ts';
import { closedResolver, linkResolver, unmapped } from './closed-resolver.ts';
import { EsbuildService } from './esbuild-service.ts';
import type { BuildMessage, BuildOutcome, LinkSource, ModuleSource, Refusal } from './module-source.ts';
import type { TrustedOptions } from './trusted-options.ts';

export type { OnResolveArgs, OnResolveResult, PartialMessage, Plugin, PluginBuild } from 'esbuild';

/** The program in messages and source maps. */
export const ENTRY_FILE = 'agent:program';

const MAX_ATTEMPTS = 3;
const SERVICE_GONE = /^(?:The service (?:was stopped|is no longer running)|write EPIPE|spawn )/u;
const DIALECT = { target: 'es2024', supported: { 'dynamic-import': false, using: false }, charset: 'utf8' } as const;
/** What esbuild warns of and nobody reads. Against: thousands of warnings in one long line, each of which repeats the line. */
const SILENT = Object.fromEntries(
  (
    'assign-to-define class-name-will-throw commonjs-variable-in-esm delete-super-property direct-eval duplicate-case duplicate-class-member duplicate-object-key ' +
    'empty-import-meta equals-nan equals-negative-zero equals-new-object html-comment-in-js impossible-typeof indirect-require ' +
    'private-name-will-throw semicolon-after-return suspicious-boolean-not suspicious-logical-operator suspicious-nullish-coalescing ' +
    'this-is-undefined-in-esm unsupported-dynamic-import unsupported-jsx-comment unsupported-regexp unsupported-require-call call-import-namespace'
  )
    .split(' ')
    .map((id) => [id, 'silent' as const]),
);
const DEFINED = { 'process.env.NODE_ENV': '"production"' };

const service = new EsbuildService();
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
export function build(
  source: ModuleSource,
  { banner, footer, quiet }: { banner: string; footer: string; quiet: boolean },
  timeoutMs: number,
): Promise<BuildOutcome> {
  return bundle(source, { format: 'iife', banner: { js: banner }, footer: { js: footer }, logOverride: silence(quiet) }, timeoutMs);
}

/** Bundles to one module without imports, as what others are to be linked with. Throws as {@link build} does. */
export function buildModule(source: ModuleSource, timeoutMs: number, quiet = false): Promise<BuildOutcome> {
  return bundle(source, { format: 'esm', logOverride: silence(quiet) }, timeoutMs);
}

function bundle(
  source: ModuleSource,
  shape: Pick<esbuild.BuildOptions, 'format' | 'banner' | 'footer' | 'logOverride'>,
  timeoutMs: number,
): Promise<BuildOutcome> {
  return withService(timeoutMs, async () => {
    const result = await esbuild.build({
      ...DIALECT,
      absWorkingDir: source.root,
      stdin: { contents: unmapped(source.entry), loader: 'ts', sourcefile: ENTRY_FILE },
      outfile: 'program.js',
      bundle: true,
      write: false,
      ...shape,
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
      logOverride: SILENT,
      ...(wrap && { ...wrap, format: 'iife', platform: 'browser', define: DEFINED }),
    });
    return { ok: true, script: result.code, map: result.map, warnings: result.warnings.map(toMessage) };
  });
}

/** @param quiet - not to say of exports that there are not, either. */
function silence(quiet: boolean): Record<string, esbuild.LogLevel> {
  return quiet ? { ...SILENT, 'import-is-undefined': 'silent' } : SILENT;
}

function textOf(files: readonly esbuild.OutputFile[], ending: string): string {
  return files.find((file) => file.path.endsWith(ending))?.text ?? '';
}

async function withService(timeoutMs: number, work: () => Promise<BuildOutcome>): Promise<BuildOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const seen = generation;
    let stopped: SandboxError | undefined;
    const stop = (reason: SandboxError): void => {
      stopped = reason;
      replaceService(seen);
    };
    startService();
    const timer = setTimeout(() => stop(timedOut(timeoutMs)), timeoutMs);
    using watch = new MemoryWatch(service.pid);
    watch.onTooMuch = () => stop(tooMuch());
    try {
      return await untilStopped(work());
    } catch (thrown) {
      if (stopped) throw stopped;
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
  service.kill();
  for (const stop of running) stop();
}

function startService(): void {
  service.start(() => void esbuild.initialize({}).catch(() => undefined));
}

const PLAINER = 'Write the code in a plainer or shorter way, or import less.';

function timedOut(timeoutMs: number): SandboxError {
  return new SandboxError('ERR_BUNDLE_FAILED', `Bundling took longer than ${timeoutMs} ms.`, { hint: PLAINER });
}

function tooMuch(): SandboxError {
  return new SandboxError('ERR_BUNDLE_FAILED', 'Bundling took more memory than there is for it.', { hint: PLAINER });
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

/** What {@link bundleTrusted} begins with: a file, or the text of one in a folder. */
export type TrustedEntry = string | { readonly text: string; readonly folder: string };

/** Files of our own and the libraries that they name, from disk, as one ES module, or as a script in one line. */
export async function bundleTrusted(entry: TrustedEntry, options: TrustedOptions): Promise<string> {
  startService();
  const { external = [], bare = false, alias = {}, made = {}, rewrite, oneLine = false } = options;
  const result = await esbuild.build({
    ...DIALECT,
    // Nothing else that esbuild writes spreads over lines.
    ...(oneLine ? { supported: { ...DIALECT.supported, 'template-literal': false } } : {}),
    ...(typeof entry === 'string'
      ? { entryPoints: [entry], absWorkingDir: dirname(entry) }
      : { stdin: { contents: entry.text, resolveDir: entry.folder }, absWorkingDir: entry.folder }),
    bundle: true,
    write: false,
    format: oneLine ? 'iife' : 'esm',
    external: [...external],
    alias: { ...alias },
    minify: bare,
    ...(bare ? { platform: 'neutral', mainFields: ['module', 'main'] } : {}),
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: '{}',
    plugins: [madeModules(made), ...(rewrite === undefined ? [] : [rewriting(rewrite)])],
  });
  return result.outputFiles[0]?.text ?? '';
}

function madeModules(made: NonNullable<TrustedOptions['made']>): esbuild.Plugin {
  return {
    name: 'made',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, ({ path }) => (path in made ? { path, namespace: 'made' } : undefined));
      builder.onLoad({ filter: /.*/, namespace: 'made' }, async ({ path }) => ({ contents: (await made[path]?.()) ?? '', loader: 'js' }));
    },
  };
}

function rewriting({ files, text }: NonNullable<TrustedOptions['rewrite']>): esbuild.Plugin {
  return {
    name: 'rewrite',
    setup(builder) {
      builder.onLoad({ filter: files }, async ({ path }) => ({ contents: await text(path, await readFile(path, 'utf8')), loader: 'js' }));
    },
  };
}
