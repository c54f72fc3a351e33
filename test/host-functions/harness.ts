import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { componentize } from '@bytecodealliance/componentize-js';
import { transpile } from '@bytecodealliance/jco';
import { build } from 'esbuild';

/** The guest runtime in an engine without a meter, and real programs in it. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE_LIMIT = 2048;

interface GuestInstance {
  load(script: string): string;
  start(input: string, options: string): void;
  resume(now: number, calls: Uint32Array, answers: string[]): void;
  status(): string[];
}

export interface Ending {
  status: 'completed' | 'failed';
  code?: string;
  name?: string;
  message?: string;
  stack?: string;
  hint?: string;
}

export interface Status {
  running: number;
  nextTimer: number | null;
  ending: Ending | null;
}

export interface Run {
  ending: Ending | null;
  status: Status;
  /** Parsed, undefined for none. */
  result: unknown;
  /** As text, "" for unchanged. */
  state: string;
  logs: { level: string; message: string }[];
  calls: { server: string; tool: string; args: string }[];
}

export interface RunSetup {
  input?: unknown;
  state?: string;
  now?: number;
  seed?: string;
  limits?: Record<string, number>;
  files?: Record<string, Uint8Array | string>;
  /** The answer to a call as JSON text of `{ ok }` or `{ error }`; undefined leaves it open. */
  answer?(server: string, tool: string, args: string): unknown;
  /** Does not add `return (async () => {...})()` around the program. */
  raw?: boolean;
}

type Instantiate = (
  core: (name: string) => WebAssembly.Module,
  imports: Record<string, unknown>,
  make: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance,
) => GuestInstance;

export interface Engine {
  fresh(host: Record<string, unknown>): GuestInstance;
}

/** Builds the engine, or takes the one that another test file of the same sources has built. */
export async function buildEngine(): Promise<Engine> {
  const bundled = await build({
    entryPoints: [join(root, 'host-functions/guest/main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['ampoule:sandbox/host'],
  });
  const source = bundled.outputFiles[0]!.text;
  const wit = await readFile(join(root, 'host-functions/world.wit'), 'utf8');
  const key = createHash('sha256').update(source).update(wit).update(process.version).digest('hex').slice(0, 24);
  const folder = join(root, 'node_modules/.cache/ampoule-test-guest', key);
  await buildOnce(folder, () => makeEngine(folder, source, wit));
  return openEngine(folder);
}

/** Test files run at the same time: one of them builds, the others wait for it, and build themselves if it never comes. */
async function buildOnce(folder: string, make: () => Promise<void>): Promise<void> {
  if (existsSync(join(folder, 'base.js'))) return;
  await mkdir(dirname(folder), { recursive: true });
  const lock = `${folder}.lock`;
  const isFirst = await mkdir(lock).then(
    () => true,
    () => false,
  );
  const patience = isFirst ? 0 : 45_000;
  for (let waited = 0; waited < patience && existsSync(lock); waited += 50) await setTimeout(50);
  try {
    if (!existsSync(join(folder, 'base.js'))) await make();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function makeEngine(folder: string, source: string, wit: string): Promise<void> {
  const disableFeatures = ['random', 'stdio', 'clocks', 'http', 'fetch-event'] as const;
  const { component } = await componentize(source, wit, { disableFeatures: [...disableFeatures], worldName: 'sandbox' } as never);
  const options = { name: 'base', instantiation: { tag: 'sync' }, noTypescript: true, minify: false, optimize: false } as const;
  const { files } = await transpile(component, options as never);
  await mkdir(dirname(folder), { recursive: true });
  const making = await mkdtemp(`${folder}-`);
  for (const [name, bytes] of Object.entries(files)) {
    if (!name.includes('/')) {
      await writeFile(join(making, name), name === 'base.core.wasm' ? boundMemory(bytes) : bytes);
    }
  }
  await writeFile(join(making, 'package.json'), '{"type":"module"}');
  await rename(making, folder).catch(() => rm(making, { recursive: true }));
}

/** Gives the memory section a maximum, so that a test of memory's end needs 128 MiB and not 4 GiB. */
function boundMemory(wasm: Uint8Array): Uint8Array {
  let at = 8;
  while (at < wasm.length) {
    const id = wasm[at]!;
    const size = readLeb(wasm, at + 1);
    if (id === 5) {
      const minimum = readLeb(wasm, size.next + 2);
      const body = [1, 1, ...leb(minimum.value), ...leb(PAGE_LIMIT)];
      return Buffer.concat([wasm.subarray(0, at), Buffer.from([5, ...leb(body.length), ...body]), wasm.subarray(size.next + size.value)]);
    }
    at = size.next + size.value;
  }
  throw new Error('no memory section');
}

function readLeb(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

async function openEngine(folder: string): Promise<Engine> {
  const { instantiate } = (await import(join(folder, 'base.js'))) as { instantiate: Instantiate };
  const modules = new Map<string, WebAssembly.Module>();
  for (const name of ['base.core.wasm', 'base.core2.wasm', 'base.core3.wasm']) {
    modules.set(name, new WebAssembly.Module(await readFile(join(folder, name))));
  }
  const fresh = (host: Record<string, unknown>): GuestInstance =>
    instantiate(
      (name) => modules.get(name)!,
      { 'ampoule:sandbox/host': host },
      (module, imports) => new WebAssembly.Instance(module, imports),
    );
  return { fresh };
}

/** The script that the bundler would make of a program that is the body of an async function. */
export function scriptOf(code: string): string {
  return `return (async () => {\n${code}\n})();\n//# sourceURL=program.js`;
}

/** Runs a program to its end, or until nothing is left that could go on. Virtual time: each timer is due at once. */
export function runProgram(engine: Engine, code: string, setup: RunSetup = {}): Run {
  const logs: Run['logs'] = [];
  const calls: Run['calls'] = [];
  const answers: { number: number; text: string }[] = [];
  const guest = engine.fresh({
    callTool(server: string, tool: string, args: string) {
      const number = calls.push({ server, tool, args });
      const answer = setup.answer?.(server, tool, args);
      if (answer !== undefined) answers.push({ number, text: JSON.stringify(answer) });
      return number;
    },
    readFile(path: string) {
      const file = setup.files?.[path];
      // oxlint-disable-next-line typescript/only-throw-error -- the bindings take the error of a result as a thrown value
      if (file === undefined) throw JSON.stringify({ code: 'ERR_FILE_NOT_FOUND', message: `no file ${path}`, hint: 'look again' });
      return typeof file === 'string' ? new TextEncoder().encode(file) : file;
    },
    getState: () => setup.state ?? '{}',
    log: (level: string, message: string) => void logs.push({ level, message }),
  });
  const refused = guest.load(setup.raw === true ? `${code}\n//# sourceURL=program.js` : scriptOf(code));
  if (refused !== '') throw new Error(refused);
  const limits = { maxResultBytes: 1 << 20, maxStateBytes: 1 << 20, maxLogBytes: 65_536, maxToolArgumentBytes: 1 << 20, ...setup.limits };
  let now = setup.now ?? 1_700_000_000_000;
  guest.start(JSON.stringify(setup.input ?? null), JSON.stringify({ now, seed: setup.seed ?? '00'.repeat(32), ...limits }));
  for (let turn = 0; turn < 10_000; turn++) {
    const [text, result = '', state = ''] = guest.status();
    const status = JSON.parse(text!) as Status;
    const isStuck = answers.length === 0 && status.nextTimer === null;
    if (status.ending !== null || isStuck) {
      return { ending: status.ending, status, result: result === '' ? undefined : JSON.parse(result), state, logs, calls };
    }
    const due = answers.splice(0);
    if (due.length === 0) now = Math.max(now, status.nextTimer!);
    guest.resume(
      now,
      Uint32Array.from(due, (answer) => answer.number),
      due.map((answer) => answer.text),
    );
  }
  throw new Error('the program made 10,000 turns');
}
