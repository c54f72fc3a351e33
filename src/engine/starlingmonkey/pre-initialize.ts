import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connectGuest, type GuestExports } from '../abi/core-guest.ts';
import { GuestMemory } from '../abi/guest-memory.ts';
import { warmUpGuest } from '../warm-up-guest.ts';
import { createDeterministicWasi } from './deterministic-wasi.ts';
import { snapshotModule } from '../snapshot/snapshot-module.ts';

/** What the warm-up program calls. Both lead nowhere. */
function warmUpHost(): WebAssembly.ModuleImports {
  let calls = 0;
  return { 'call-tool': () => ++calls, log: () => undefined };
}

/** The exports that run once, before the snapshot. */
const SPENT_EXPORTS = new Set(['_initialize', 'componentize.wizer']);

/**
 * Takes the place of the `wizer` binary in a build: starts the engine module once, lets it load the guest runtime, and writes
 * the module with that state in it. We do it ourselves because wizer gives the engine the machine's clock, randomness and
 * folder names, and all three end up in its memory.
 *
 * Called by componentize-js as `wizer [options] -o=OUT IN`, with the engine's arguments on stdin and its settings in the
 * environment.
 */
function preInitialize(args: readonly string[]): void {
  const output = args.find((arg) => arg.startsWith('-o='))?.slice('-o='.length);
  const input = args.at(-1);
  if (output === undefined || input === undefined) throw new Error('usage: pre-initialize -o=OUT IN');
  const source = readFileSync(input);
  const memory = initialize(source, join(dirname(input), 'sources'));
  // Its one global is the stack pointer.
  writeFileSync(output, snapshotModule(source, memory, { spentExports: SPENT_EXPORTS, settledGlobals: 1 }));
}

function initialize(source: Uint8Array<ArrayBuffer>, sourcesDirectory: string): Uint8Array {
  const argumentsFile = join(sourcesDirectory, '..', 'arguments');
  // The sources are the engine's root, whatever folder they are in on this machine.
  writeFileSync(argumentsFile, readFileSync(0, 'utf8').replaceAll(`${sourcesDirectory}/`, '/'));
  const stdin = openSync(argumentsFile, 'r');
  try {
    const host = createDeterministicWasi({ sourcesDirectory, stdin, environment: engineSettings() });
    const module = new WebAssembly.Module(source);
    const linked: { instance?: WebAssembly.Instance } = {};
    const memory = (): WebAssembly.Memory => linked.instance?.exports['memory'] as WebAssembly.Memory;
    const instance = new WebAssembly.Instance(module, linkImports(module, host.imports(memory)));
    linked.instance = instance;
    host.wasi.initialize(instance);
    (instance.exports['componentize.wizer'] as () => void)();
    warmUpGuest(connectModule(instance));
    return new Uint8Array(memory().buffer);
  } finally {
    closeSync(stdin);
  }
}

/** The module before there is a component around it. */
function connectModule({ exports }: WebAssembly.Instance): GuestExports {
  const memory = new GuestMemory(exports['memory'] as WebAssembly.Memory, exports['cabi_realloc'] as never);
  return connectGuest(exports, memory);
}

/** What componentize-js tells the engine; whatever else is in the environment would end up in the engine's memory. */
function engineSettings(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(DEBUG|SOURCE_NAME|FEATURE_\w+|EXPORT_?\w+|IMPORT_?\w+)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, process.env[name] ?? '']));
}

function linkImports(module: WebAssembly.Module, wasi: WebAssembly.ModuleImports): WebAssembly.Imports {
  const imports: Record<string, WebAssembly.ModuleImports> = {};
  const host = warmUpHost();
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const known = from === 'wasi_snapshot_preview1' ? wasi : from === 'ampoule:sandbox/host' ? host : {};
    (imports[from] ??= {})[name] =
      known[name] ??
      (() => {
        throw new Error(`the engine called ${from} ${name} while it was built`);
      });
  }
  return imports;
}

preInitialize(process.argv.slice(2));
