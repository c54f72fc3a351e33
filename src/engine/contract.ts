import { SandboxError } from '../errors.ts';

/** The four host functions, as the core modules import them. */
export const HOST_FUNCTIONS = ['call-tool', 'get-state', 'log', 'read-file'] as const;
/** The guest contract, as `host-functions/world.wit` has it. */
export const GUEST_EXPORTS = ['load', 'resume', 'start', 'status'] as const;
const HOST_INTERFACE = 'ampoule:sandbox/host';

/** What a component can reach and what it offers, read from the component itself. */
export interface EngineContract {
  /** Sorted. */
  readonly imports: readonly string[];
  /** Sorted. */
  readonly exports: readonly string[];
}

/**
 * Reads a component's contract from its own world and from the imports of its core modules, and refuses anything but the four
 * host functions and the guest contract. This is the check that keeps a WASI import from ever slipping in.
 *
 * @param wit the world as text, as read from the component's bytes.
 * @param modules the component's core modules.
 * @param sealed import modules that the component answers itself and no instance is linked to.
 * @throws SandboxError ERR_ENGINE_CONTRACT naming what is too much and what is missing.
 */
export function checkContract(wit: string, modules: ReadonlyMap<string, Uint8Array>, sealed: RegExp | null): EngineContract {
  const world = readWorld(wit);
  expectExactly('world imports', world.imports, [HOST_INTERFACE]);
  expectExactly('exports', world.exports, GUEST_EXPORTS);
  const imports = hostImports(modules, sealed);
  expectExactly(
    'imports',
    imports,
    HOST_FUNCTIONS.map((name) => `${HOST_INTERFACE}.${name}`),
  );
  return { imports, exports: world.exports };
}

function readWorld(wit: string): { imports: string[]; exports: string[] } {
  const items = (keyword: string): string[] =>
    [...wit.matchAll(new RegExp(`^\\s*${keyword} ([^;:]+(?::[a-z][^;:\\s]*)?)`, 'gm'))].map((match) => (match[1] ?? '').trim()).sort();
  return { imports: items('import'), exports: items('export') };
}

/** Imports of core modules that come from outside of the component. */
function hostImports(modules: ReadonlyMap<string, Uint8Array>, sealed: RegExp | null): string[] {
  const names = new Set<string>();
  for (const bytes of modules.values()) {
    const module = new WebAssembly.Module(bytes);
    // Names without a colon, such as "" and "0", are the wiring between the component's own modules.
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if ((from.includes(':') || from.startsWith('wasi')) && sealed?.test(from) !== true) names.add(`${from}.${name}`);
    }
  }
  return [...names].sort();
}

function expectExactly(what: string, found: readonly string[], expected: readonly string[]): void {
  const extra = found.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !found.includes(name));
  if (extra.length === 0 && missing.length === 0) return;
  const problems = [extra.length > 0 ? `too many: ${extra.join(', ')}` : '', missing.length > 0 ? `missing: ${missing.join(', ')}` : ''];
  throw new SandboxError('ERR_ENGINE_CONTRACT', `The engine's ${what} are not the contract's; ${problems.filter(Boolean).join('; ')}.`, {
    hint: 'Delete the engine cache and run `npm run engine`; if it stays, the engine packages have changed.',
  });
}
