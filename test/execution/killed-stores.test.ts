import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { randomFrom } from '../../reliability/random.ts';
import { bundledChild, type BundledChild } from './bundled-child.ts';
import { imageOf, isAnswerTo } from './killed-store-work.ts';
import { StoreFolder } from './stored-executions.ts';

const KILLS = 60;
const AT_ONCE = 4;
/** So many processes take their time to start on a busy machine. */
const MOST_MS = 300_000;
/** Points of `killed-between-child.ts`. */
const POINTS = ['acknowledged', 'beside', 'behind', 'within', 'turns', 'ended', 'checkpoint'];

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
    await using program = await bundledChild('killed-store-child');
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

test('a process killed between what its own thread writes and what the store’s writes has kept what it acknowledged, each in its order', async () => {
  await using folder = new StoreFolder();
  await using program = await bundledChild('killed-between-child');
  const told: [string, readonly string[]][] = [];
  // One after the other: each opens what the one before has left.
  for (const point of POINTS) told.push([point, await saidUntilKilled(program, folder.file, point)]);
  const store = folder.open();
  const unfinished = new Set(await store.claim());
  for (const [point, lines] of told) {
    const { direct, ...ids } = Object.groupBy(lines, (line) => (line.endsWith(' direct') ? 'direct' : line.slice(0, line.indexOf(' '))));
    // The test is of nothing if the store's thread has written it all.
    expect([point, direct?.[0]]).toEqual([point, expect.stringMatching(/^[1-9]/)]);
    for (const id of [`${point}-a`, `${point}-b`]) {
      const said = newSaid();
      for (const line of ids[id] ?? []) count(said, line.slice(id.length + 1));
      await check(store, id, said, unfinished);
    }
  }
  // Nothing of the transaction that the process died in.
  expect(await store.read('within-c')).toBeUndefined();
  expect(await store.read('within-b')).toMatchObject({ calls: [], history: { steps: [] } });
  expect(integrityOf(folder.file)).toBe('ok');
});

/** What a child has acknowledged before it killed itself. */
async function saidUntilKilled({ file, folder }: BundledChild, store: string, point: string): Promise<readonly string[]> {
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const child = spawn(process.execPath, ['--no-warnings', file, store, point], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  const [said, [, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect([point, signal]).toEqual([point, 'SIGKILL']);
  return said.trimEnd().split('\n');
}

function integrityOf(file: string): unknown {
  const db = new DatabaseSync(file);
  try {
    return db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  } finally {
    db.close();
  }
}

/** A line may be half: then it was not said. */
function note(told: Map<string, Said>, line: string): void {
  const [, id, what] = /^(\S+) (\w+)\.$/.exec(line) ?? [];
  if (id === undefined || what === undefined) return;
  const said = told.get(id) ?? newSaid();
  told.set(id, said);
  count(said, what);
}

function newSaid(): Said {
  return { calls: 0, answers: 0, steps: 0, hibernations: 0, restarts: 0, ended: false };
}

function count(said: Said, what: string): void {
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
  expect(answered.filter(({ number, answer }) => !isAnswerTo(number, answer))).toEqual([]);
}
