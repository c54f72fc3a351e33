import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { randomFrom } from '../../reliability/random.ts';
import { imageOf } from './killed-store-work.ts';
import { StoreFolder } from './stored-executions.ts';

const KILLS = 60;
const AT_ONCE = 4;
/** So many processes take their time to start on a busy machine. */
const MOST_MS = 300_000;
const SOURCES = join(import.meta.dirname, '../../src/execution');
const CACHE = join(import.meta.dirname, '../../.cache');

/** What a writer has said about one execution: everything up to here is written. */
interface Said {
  calls: number;
  answers: number;
  steps: number;
  hibernations: number;
  restarts: number;
  ended: boolean;
}

test(
  'a process killed at any point loses nothing that was acknowledged, and keeps the order of each execution',
  async () => {
    await using folder = new StoreFolder();
    const draw = randomFrom('killed stores');
    const told = new Map<string, Said>();
    let left = KILLS;
    await using program = await bundledChild();
    const one = async (number: number): Promise<void> => {
      while (left-- > 0) {
        const name = `w${number}-${left}`;
        const env = { NODE_COMPILE_CACHE: join(program.folder, 'compiled') };
        const child = spawn(process.execPath, ['--no-warnings', program.file, folder.file, name], {
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const ready = Promise.withResolvers<void>();
        createInterface({ input: child.stdout }).on('line', (line) => {
          ready.resolve();
          note(told, line);
        });
        const closed = once(child, 'close');
        await Promise.race([ready.promise, closed]);
        await sleep(draw.below(60));
        child.kill('SIGKILL');
        await closed;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => one(number)));
    const store = folder.open();
    const unfinished = new Set(await store.claim());
    expect(told.size).toBeGreaterThan(KILLS);
    let written = 0;
    for (const [id, said] of told) {
      written += said.calls + said.answers + said.hibernations;
      await check(store, id, said, unfinished);
    }
    expect(written).toBeGreaterThan(told.size);
  },
  MOST_MS,
);

/** Two files, of the process and of its thread: what lives for a moment must not take longer to start. In the checkout, where its packages are. */
async function bundledChild(): Promise<{ readonly folder: string; readonly file: string } & AsyncDisposable> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'killed-stores-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'killed-store-child.ts'), join(SOURCES, 'store/store-worker.ts')],
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['blake3'],
    logLevel: 'error',
  });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const file = join(folder, 'killed-store-child.js');
  return { folder, file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** A line may be half: then it was not said. */
function note(told: Map<string, Said>, line: string): void {
  const [, id, what] = /^(\S+) (\w+)\.$/.exec(line) ?? [];
  if (id === undefined || what === undefined) return;
  const said = told.get(id) ?? { calls: 0, answers: 0, steps: 0, hibernations: 0, restarts: 0, ended: false };
  told.set(id, said);
  switch (what) {
    case 'call':
      said.calls++;
      // Enqueued before it, so written with it.
      said.steps++;
      break;
    case 'answered':
      said.answers++;
      break;
    case 'hibernated':
      said.hibernations++;
      break;
    case 'restarted':
      said.restarts++;
      break;
    case 'ended':
      said.ended = true;
      break;
    default:
      break;
  }
}

async function check(store: ExecutionStore, id: string, said: Said, unfinished: ReadonlySet<string>): Promise<void> {
  const found = await store.read(id);
  if (found === undefined) throw new Error(`${id} is gone`);
  const answers = found.calls.filter(({ answer }) => answer !== undefined).length;
  const atLeast = [found.calls.length, answers, found.history.steps.length, found.hibernations, found.restarts];
  const wanted = [said.calls, said.answers, said.steps, said.hibernations, said.restarts];
  for (const [index, count] of atLeast.entries()) expect([id, index, count >= (wanted[index] ?? 0)]).toEqual([id, index, true]);
  expect([id, unfinished.has(id)]).toEqual([id, found.end === undefined]);
  expect([id, said.ended && found.end === undefined]).toEqual([id, false]);
  expectOrder(found);
  expect((await store.image(id))?.[0]).toBe(found.wait && imageOf(found.hibernations)[0]);
}

/** Each call is written behind its step, and each answer behind its call: none is there without what came before. */
function expectOrder({ calls, history, isComplete }: StoredExecution): void {
  expect(isComplete).toBe(true);
  expect(calls.map(({ number }) => number)).toEqual(calls.map((_, index) => index + 1));
  expect(history.steps.map(([now]) => now)).toEqual(history.steps.map((_, index) => index + 1));
  expect(history.steps.length).toBeGreaterThanOrEqual(calls.length);
  const answered = calls.filter(({ answer }) => answer !== undefined);
  expect(answered.map(({ answer }) => answer)).toEqual(answered.map(({ number }) => ({ ok: true, value: String(number).repeat(400) })));
}
