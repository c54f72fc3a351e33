import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Random } from '../random.ts';
import { FILES } from './files.ts';
import type { Known, WriterMessage } from './writer-protocol.ts';

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const HALF_WRITTEN = /\.tmp$|\.new$/;
/** Before anything was begun, in seconds since 1970. */
const LONG_AGO = 1_000_000_000;
const LONGEST_LIFE_MS = 60;
const START_MS = 20_000;
const MOST_FAULTS = 20;

export interface KilledWriters {
  readonly kills: number;
  /** Writes that were acknowledged, by store. */
  readonly acknowledged: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

/**
 * Kills processes in the middle of their writes, so many times, with several at work at a time, two on each folder. The next one of
 * each name looks whether all is there that the last one has acknowledged.
 */
export async function killWriters(folder: string, kills: number, writers: number, random: Random): Promise<KilledWriters> {
  const faults: string[] = [];
  const program = await bundleWriter();
  await using _gone = { [Symbol.asyncDispose]: () => rm(dirname(program), { recursive: true }) };
  const acknowledged: Record<string, number> = {};
  let left = kills;
  const one = async (number: number): Promise<void> => {
    const own = join(folder, `disk${number >> 1}`);
    await mkdir(own, { recursive: true });
    const known: Record<string, Known> = {};
    const draw = random.fork(`writer${number}`);
    for (let last = false; !last;) {
      last = left-- <= 0 || faults.length > MOST_FAULTS;
      const child = startWriter(program, [own, `w${number}`, JSON.stringify(known)]);
      const ready = listen(child, (message) => {
        if ('fault' in message) faults.push(`w${number}: ${message.fault}`);
        if (!('store' in message)) return;
        known[message.store] = { number: message.number, place: message.place };
        acknowledged[message.store] = (acknowledged[message.store] ?? 0) + 1;
      });
      const isReady = await Promise.race([ready, sleep(START_MS, false, { ref: false })]);
      if (!isReady) faults.push(`w${number}: it did not open everything in time, or ended by itself`);
      // The last one only looks.
      if (!last) await sleep(draw.below(LONGEST_LIFE_MS));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, number) => one(number)));
  for (let disk = 0; disk < writers / 2; disk++) faults.push(...(await leftovers(join(folder, `disk${disk}`))));
  return { kills, acknowledged, faults };
}

/** One file: a process that lives for a moment must not take longer to start. */
async function bundleWriter(): Promise<string> {
  // In the checkout: one package finds its WebAssembly beside itself only.
  await mkdir(CACHE, { recursive: true });
  const outfile = join(await mkdtemp(join(CACHE, 'writer-')), 'writer.mjs');
  const banner = { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" };
  await build({
    entryPoints: [WRITER],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['blake3'],
    plugins: [withoutCompiler],
    banner,
    logLevel: 'error',
  });
  return outfile;
}

/** What makes wrappers from schemas is large, and the writer has its own text for them. */
const withoutCompiler: Plugin = {
  name: 'without-compiler',
  setup(builder) {
    builder.onLoad({ filter: /[/\\]compile-types\.ts$/ }, () => ({ contents: 'export const compileTypes = undefined;', loader: 'ts' }));
  },
};

function startWriter(program: string, args: readonly string[]): ChildProcess {
  const env = { NODE_COMPILE_CACHE: `${program}.compiled` };
  return spawn(process.execPath, ['--no-warnings', program, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** True when the writer is ready; false when it ends before. */
function listen(child: ChildProcess, hear: (message: WriterMessage) => void): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = parse(line);
      if (message && 'ready' in message) resolve(true);
      if (message) hear(message);
    });
  }
  child.once('close', () => resolve(false));
  return promise;
}

/** The last line may be half: then it was not said. */
function parse(line: string): WriterMessage | undefined {
  try {
    return JSON.parse(line) as WriterMessage;
  } catch {
    return undefined;
  }
}

/** What was half-written is removed once it is so old that nobody can be at work on it any more. */
async function leftovers(folder: string): Promise<string[]> {
  const list = async (): Promise<string[]> => (await readdir(folder, { recursive: true })).filter((file) => HALF_WRITTEN.test(file));
  for (const file of await list()) await utimes(join(folder, file), LONG_AGO, LONG_AGO);
  for (const kind of FILES) {
    for (const writer of await writersOf(folder)) {
      const store = await kind.open(folder, writer);
      await store.write(1, '');
      await store.close();
    }
  }
  return (await list()).map((file) => `${file} is half-written, and stays`);
}

async function writersOf(folder: string): Promise<string[]> {
  return (await readdir(folder)).flatMap((name) => /^wrappers-(.*)$/.exec(name)?.[1] ?? []);
}
