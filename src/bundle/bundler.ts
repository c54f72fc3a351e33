import { realpathSync } from 'node:fs';
import { SandboxError } from '../errors.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { BundleCache } from './bundle-cache.ts';
import type { Bundle } from './bundle.ts';
import { makeBundle } from './make-bundle.ts';
import { openEsbuild } from './esbuild.ts';
import { Scanner } from './scanner.ts';
import { WrapperLinker } from './wrapper-linker.ts';

const DEFAULT_TIMEOUT_MS = 5000;

/** An agent's code and the wrappers that it may import. */
export interface AgentSource {
  readonly code: string;
  readonly wrappers: WrapperSet;
}

export interface BundlerOptions {
  /** Names of the npm packages that agent code may import. */
  readonly libraries: readonly string[];
  /** Absolute folder of the operator's installation: libraries come from its `node_modules`, nothing else is read. */
  readonly resolveFrom: string;
  /** Most UTF-8 bytes of an agent's code. */
  readonly maxSourceBytes: number;
  /** Most UTF-8 bytes of a finished script. */
  readonly maxBundleBytes: number;
  /** Milliseconds for one bundle, after which it fails. Default: 5000. */
  readonly timeoutMs?: number;
}

/** Turns agents' code into scripts. Holds a child process and up to two threads from the first use until it is closed. */
export interface Bundler extends AsyncDisposable {
  /**
   * @throws SandboxError ERR_BUNDLE_SYNTAX, ERR_BUNDLE_IMPORT, ERR_BUNDLE_FORM about the code, each with its positions;
   * ERR_BUNDLE_TOO_LARGE; ERR_BUNDLE_FAILED for what is not the code's fault, and for a timeout.
   * @throws the signal's reason when it is aborted.
   */
  bundle(source: AgentSource, signal: AbortSignal): Promise<Bundle>;
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
  let closed = false;
  const close = (): Promise<void> => {
    closed = true;
    scanner[Symbol.dispose]();
    esbuild[Symbol.dispose]();
    return Promise.resolve();
  };
  return {
    async bundle(source, signal) {
      signal.throwIfAborted();
      if (closed) throw new SandboxError('ERR_BUNDLE_FAILED', 'The bundler is closed.');
      checkSource(source.code, options.maxSourceBytes);
      const key = BundleCache.keyOf(source.code, source.wrappers.hash);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const work = makeBundle(
        {
          code: source.code,
          world: { wrappersHash: source.wrappers.hash, files: source.wrappers.files, libraries: options.libraries },
          root,
        },
        { scanner, linker, timeoutMs },
      );
      const { bundle, size } = await abortable(work, signal);
      checkScript(bundle.script, options.maxBundleBytes);
      cache.set(key, bundle, size);
      return bundle;
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
