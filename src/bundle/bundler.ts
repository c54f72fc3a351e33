import { realpathSync } from 'node:fs';
import { SandboxError } from '../errors.ts';
import type { SkillSet } from '../skill/skill-set.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { BundleCache } from './bundle-cache.ts';
import type { Bundle } from './bundle.ts';
import { makeBundle } from './make-bundle.ts';
import { openEsbuild } from './esbuild.ts';
import { portBundle } from './ported-bundle.ts';
import { linkModule, readModule, type ReadModule } from './read-module.ts';
import { Scanner } from './scanner.ts';
import { SkillLinker } from './skill-linker.ts';
import type { EngineKind, ModuleWorld } from './specifiers.ts';
import { withTemporal } from './temporal.ts';
import { WrapperLinker } from './wrapper-linker.ts';

const DEFAULT_TIMEOUT_MS = 5000;

/** An agent's code and what it may import. */
export interface AgentSource {
  readonly code: string;
  readonly wrappers: WrapperSet;
  /** The skills that the code imports. */
  readonly skills?: SkillSet | undefined;
}

export interface BundlerOptions {
  /** Names of the npm packages that agent code may import. */
  readonly libraries: readonly string[];
  /** The engine that the scripts are for. Default: quickjs. */
  readonly engine?: EngineKind;
  /** Absolute folder of the operator's installation: libraries come from its `node_modules`, nothing else is read. */
  readonly resolveFrom: string;
  /** Most UTF-8 bytes of an agent's code. */
  readonly maxSourceBytes: number;
  /** Most UTF-8 bytes of a finished script. */
  readonly maxBundleBytes: number;
  /** Milliseconds for one bundle, after which it fails. Default: 5000. */
  readonly timeoutMs?: number;
}

/** Turns agents' code into scripts. Holds up to three child processes from the first use until it is closed. */
export interface Bundler extends AsyncDisposable {
  /**
   * @throws SandboxError ERR_BUNDLE_SYNTAX, ERR_BUNDLE_IMPORT, ERR_BUNDLE_FORM about the code, each with its positions;
   * ERR_BUNDLE_TOO_LARGE; ERR_BUNDLE_FAILED for what is not the code's fault, and for a timeout.
   * @throws the signal's reason when it is aborted.
   */
  bundle(source: AgentSource, signal: AbortSignal): Promise<Bundle>;
  /**
   * Reads code that others are to import.
   * @throws SandboxError ERR_SKILL_INVALID, ERR_BUNDLE_SYNTAX, ERR_BUNDLE_IMPORT, ERR_BUNDLE_FORM, ERR_BUNDLE_FAILED
   */
  readModule(code: string, signal: AbortSignal): Promise<ReadModule>;
  /** Sees that such code can be bundled. Throws as {@link bundle} does. */
  tryModule(source: AgentSource & { readonly module: ReadModule }, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A bundler for one operator's installation. */
export function createBundler(options: BundlerOptions): Bundler {
  const scanner = new Scanner();
  scanner.warm();
  const esbuild = openEsbuild();
  const cache = new BundleCache();
  const root = realFolder(options.resolveFrom);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const linker = new WrapperLinker(root, timeoutMs);
  const tools = { scanner, linker, skills: new SkillLinker(root, linker, timeoutMs), timeoutMs };
  const worldOf = ({ wrappers, skills }: AgentSource): ModuleWorld => {
    return {
      wrappersHash: wrappers.hash,
      files: wrappers.files,
      libraries: options.libraries,
      engine: options.engine ?? 'quickjs',
      skills,
    };
  };
  const refuseClosed = (): void => {
    if (closed) throw new SandboxError('ERR_BUNDLE_FAILED', 'The bundler is closed.');
  };
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
    esbuild[Symbol.dispose]();
    await scanner[Symbol.asyncDispose]();
  };
  return {
    async bundle(source, signal) {
      signal.throwIfAborted();
      refuseClosed();
      checkSource(source.code, options.maxSourceBytes);
      const key = BundleCache.keyOf(source.code, source.wrappers.hash, source.skills?.hash);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const work = makeBundle({ code: source.code, world: worldOf(source), root }, tools);
      const ported = options.engine === 'starlingmonkey' ? work.then((made) => portBundle(made, scanner, timeoutMs)) : work;
      const { bundle, size } = await abortable(ported.then(withTemporal), signal);
      checkScript(bundle.script, options.maxBundleBytes);
      cache.set(key, bundle, size);
      return bundle;
    },
    readModule(code, signal) {
      signal.throwIfAborted();
      refuseClosed();
      return abortable(readModule(code, tools), signal);
    },
    async tryModule(source, signal) {
      signal.throwIfAborted();
      refuseClosed();
      const script = await abortable(linkModule(source.module, { world: worldOf(source), root }, tools), signal);
      checkScript(script, options.maxBundleBytes);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function checkSource(code: string, maxSourceBytes: number): void {
  const bytes = Buffer.byteLength(code);
  if (bytes <= maxSourceBytes) return;
  throw new SandboxError('ERR_BUNDLE_TOO_LARGE', `The code has ${bytes} bytes; at most ${maxSourceBytes} are allowed.`, {
    hint: 'Pass data as `input` or read it with `readFile`, and keep the code short.',
  });
}

function checkScript(script: string, maxBundleBytes: number): void {
  const bytes = Buffer.byteLength(script);
  if (bytes <= maxBundleBytes) return;
  throw new SandboxError(
    'ERR_BUNDLE_TOO_LARGE',
    `The code and its imports bundle to ${bytes} bytes; at most ${maxBundleBytes} are allowed.`,
    {
      hint: 'Import less: single functions of a library, or a smaller library.',
    },
  );
}

/** The work's outcome, or the signal's reason as soon as it is aborted; the work then ends on its own, in bounded time. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
