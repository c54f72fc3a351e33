import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import type { ProgramStore } from '../../src/execute/known-programs.ts';
import { startExecutor, type SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, memoryStore, openTestExecutor, resultOf, runBody, testInit, type RunOptions } from '../support/executor.ts';

/** The executor process dies, or is told nonsense: its runs end with a code, and the next one works. */

const open = new Set<SupervisedExecutor>();
afterEach(async () => {
  await Promise.all([...open].map((executor) => executor.close()));
  open.clear();
});

/** One that is not killed, for the tests that only try to. */
let steady: Promise<SupervisedExecutor> | undefined;
afterAll(async () => (await steady)?.close());

/** One that is killed again and again, and so is only started anew. */
let victim: Promise<SupervisedExecutor> | undefined;
afterAll(async () => (await victim)?.close());

async function anyVictim(): Promise<SupervisedExecutor> {
  const log = { debug: () => undefined, warn: () => undefined };
  const executor = await (victim ??= startExecutor({ init: testInit(), programs: memoryStore(), log, longestBackOffMs: 200 }));
  expect(await ending(executor, 'return 1')).toBe('completed');
  return executor;
}

async function start(...args: Parameters<typeof openTestExecutor>): Promise<SupervisedExecutor> {
  const executor = await openTestExecutor(...args);
  open.add(executor);
  return executor;
}

/** The next process may be there in a moment. */
const OFTEN = { interval: 1 };

function kill(executor: SupervisedExecutor): number {
  if (executor.pid === undefined) throw new Error('there is no process to kill');
  process.kill(executor.pid, 'SIGKILL');
  return executor.pid;
}

/** Kills the process and waits until that is known. The next one is started in a moment, or at once when this one had lived long. */
async function killed(executor: SupervisedExecutor): Promise<void> {
  const pid = kill(executor);
  await expect.poll(() => executor.pid, OFTEN).not.toBe(pid);
}

/** The code of a run's end, thrown or not. */
function ending(executor: SupervisedExecutor, body: string, options?: RunOptions): Promise<string> {
  return runBody(executor, body, options).then(codeOf, (error: { code?: string }) => error.code ?? 'no code');
}

/** A tool that never answers, and a promise of its being called `calls` times. */
function silentTool(calls = 1): { onCall: NonNullable<RunOptions['onCall']>; called: Promise<void>; aborted: () => number } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = calls;
  let aborted = 0;
  const onCall: RunOptions['onCall'] = (_call, signal) => {
    signal.addEventListener('abort', () => aborted++);
    if (--left === 0) resolve();
    return new Promise(() => undefined);
  };
  return { onCall, called: promise, aborted: () => aborted };
}

const WAIT = 'await ampoule.callTool("s", "t"); return 1';
const keyOf = (body: string, engineHash: string): string => programKey({ script: body, engineHash });

test('killed in the middle of runs, each of them is lost, their calls are cancelled, and the next run works', async () => {
  const executor = await anyVictim();
  const tool = silentTool(5);
  const runs = Array.from({ length: 5 }, () => ending(executor, WAIT, { onCall: tool.onCall }));
  runs.push(ending(executor, 'await ampoule.sleep(60_000)'));
  await tool.called;
  const before = executor.pid;
  kill(executor);
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 6 }, () => 'ERR_EXECUTE_LOST'));
  expect(tool.aborted()).toBe(5);
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(executor.pid).not.toBe(before);
});

test('killed three times in a row, it is there again each time', async () => {
  const executor = await anyVictim();
  const pids = new Set<number | undefined>();
  for (let i = 0; i < 3; i++) {
    const tool = silentTool();
    const run = ending(executor, WAIT, { onCall: tool.onCall });
    await tool.called;
    pids.add(executor.pid);
    kill(executor);
    expect(await run).toBe('ERR_EXECUTE_LOST');
  }
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(pids.size).toBe(3);
}, 30_000);

test('killed while it starts, once, those who wait get the next process', async () => {
  const executor = await anyVictim();
  await killed(executor);
  await expect.poll(() => executor.pid, OFTEN).toBeDefined();
  const waiting = ending(executor, 'return 1');
  kill(executor);
  expect(await waiting).toBe('completed');
});

test('killed while it starts, again and again, those who wait are told, and the next run works', async () => {
  const executor = await start();
  await killed(executor);
  const run = ending(executor, 'return 1');
  for (let i = 0; i < 2; i++) {
    await expect.poll(() => executor.pid, OFTEN).toBeDefined();
    await killed(executor);
  }
  expect(await run).toBe('ERR_EXECUTE_LOST');
  expect(await ending(executor, 'return 1')).toBe('completed');
});

test('a run that comes while the process is being started again waits for it', async () => {
  const executor = await anyVictim();
  await killed(executor);
  expect(await ending(executor, 'return 1')).toBe('completed');
});

test('a run that is cancelled while the process is being started again does not wait for it', async () => {
  const executor = await anyVictim();
  await killed(executor);
  const controller = new AbortController();
  const run = ending(executor, 'for (;;) {}', { signal: controller.signal });
  controller.abort();
  expect(await run).toBe('ERR_EXECUTE_CANCELLED');
});

test('closing in the middle of runs cancels them and ends the process; after it nothing hangs: runs and programs are refused', async () => {
  const executor = await start();
  const { pid } = executor;
  const tool = silentTool();
  const runs = [ending(executor, WAIT, { onCall: tool.onCall }), ending(executor, 'for (;;) {}')];
  await tool.called;
  await executor.close();
  expect(await Promise.all(runs)).toEqual(['ERR_EXECUTE_CANCELLED', 'ERR_EXECUTE_CANCELLED']);
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
  expect(await ending(executor, 'return 1')).toBe('ERR_SERVER_CLOSING');
  await expect(executor.make({ key: 'ab'.repeat(32), script: 'return 1' })).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSING' });
  await executor.close();
});

test('closing while the process is away ends those who wait for it', async () => {
  const executor = await start();
  await killed(executor);
  const waiting = ending(executor, 'return 1');
  await executor.close();
  expect(await waiting).toBe('ERR_SERVER_CLOSING');
  await new Promise((resolve) => void setTimeout(resolve, 100));
  expect(executor.pid).toBeUndefined();
});

test('an engine that is not there is an error at the start, with its reason in the log', async () => {
  const warnings: string[] = [];
  const started = startExecutor({
    init: {
      plan: { instances: [{ module: 'engine.core.wasm', imports: [] }], contract: 0 },
      modules: { 'engine.core.wasm': '/nowhere/engine.core.wasm' },
      mounts: {},
      workers: 1,
      maxRunsPerWorker: 1,
      maxQueuedRuns: 0,
    },
    programs: memoryStore(),
    log: { debug: () => undefined, warn: (message) => warnings.push(message) },
  });
  await expect(started).rejects.toMatchObject({ code: 'ERR_EXECUTE_LOST' });
  expect(warnings[0]).toContain('cannot start');
});

const BAD_STORES: [string, () => ProgramStore][] = [
  ['fails', () => ({ get: () => Promise.reject(new Error('disk')), put: () => Promise.reject(new Error('disk full')) })],
  ['throws at once', () => ({ get: () => raise(), put: () => raise() })],
  ['returns rubbish', () => ({ ...memoryStore(), get: () => Promise.resolve(Buffer.from('rubbish')) })],
];

function raise(): never {
  throw new Error('store');
}

test.each(BAD_STORES)('a program store that %s costs no run', async (_what, store) => {
  const executor = await start({}, store());
  const { pid } = executor;
  for (let i = 0; i < 3; i++) expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(executor.pid).toBe(pid);
});

test('a program that was stored is a hit in the next process, and a damaged one is made again and put back whole', async () => {
  const programs = new Map<string, Uint8Array>();
  const first = await start({}, memoryStore(programs));
  await runBody(first, 'return 7');
  const [[key, good] = ['', new Uint8Array()]] = programs;
  const bent = Uint8Array.from(good);
  bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 1;
  programs.set(key, bent);
  expect((await runBody(first, 'return 8')).cache).toBe('miss');
  const second = await start({}, memoryStore(programs));
  const hit = await runBody(second, 'return 8');
  expect([resultOf(hit), hit.cache]).toEqual([8, 'hit']);
  const outcome = await runBody(second, 'return 7');
  expect([resultOf(outcome), outcome.cache]).toEqual([7, 'miss']);
  expect(Buffer.from(programs.get(key) ?? []).equals(good)).toBe(true);
});

test('mounts are read through links, also where a folder above them is one, and links that lead out are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-mounts-'));
  const [real, other] = [join(folder, 'real', 'files'), join(folder, 'other')];
  await Promise.all([mkdir(real, { recursive: true }), mkdir(other)]);
  await Promise.all([writeFile(join(real, 'a.txt'), 'inside'), writeFile(join(other, 'b.txt'), 'outside')]);
  await Promise.all([symlink('a.txt', join(real, 'link')), symlink('../../other/b.txt', join(real, 'out'))]);
  await Promise.all([symlink('real', join(folder, 'above')), symlink(real, join(folder, 'itself'))]);
  const later = join(folder, 'above', 'later');
  const executor = await start({ mounts: { above: join(folder, 'above', 'files'), itself: join(folder, 'itself'), later } });
  await mkdir(later);
  await writeFile(join(later, 'c.txt'), 'inside');
  const paths = ['above/a.txt', 'above/link', 'above/out', 'itself/a.txt', 'itself/out', 'later/c.txt'];
  const body = `const read = (path) => ampoule.readFile(path, { as: 'text' }).then((text) => text, (error) => error.code);
    return Promise.all(input.map(read))`;
  const found = resultOf(await runBody(executor, body, { input: paths }));
  await rm(folder, { recursive: true });
  expect(found).toEqual(['inside', 'inside', 'ERR_FILE_DENIED', 'inside', 'ERR_FILE_DENIED', 'inside']);
});

test('many runs of one new program at once all get it', async () => {
  const executor = await (steady ??= openTestExecutor({ workers: 2 }));
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => runBody(executor, 'return "same"')));
  expect(outcomes.map(resultOf)).toEqual(Array.from({ length: 30 }, () => 'same'));
  expect((await runBody(executor, 'return "same"')).cache).toBe('hit');
});

test('a request that the protocol does not allow is the end of that run only', async () => {
  const executor = await (steady ??= openTestExecutor({ workers: 2 }));
  const tool = silentTool();
  const other = ending(executor, WAIT, { onCall: tool.onCall, limits: { waitMs: 400 } });
  await tool.called;
  for (const limits of [{ fuel: Number.NaN }, { waitMs: Infinity }, { memoryMb: -1 }, { fuel: 10_000_000.5 }]) {
    expect(await ending(executor, 'return 1', { limits })).toBe('ERR_INTERNAL');
  }
  expect(await ending(executor, 'return 1', { now: Number.NaN })).toBe('ERR_INTERNAL');
  expect(await other).toBe('ERR_EXECUTE_WAITING_TIME');
});

test('an input too large to send is the end of that run only', async () => {
  const executor = await (steady ??= openTestExecutor({ workers: 2 }));
  const { pid } = executor;
  expect(await ending(executor, 'return 1', { input: '"'.repeat(20 * 1024 * 1024) })).toBe('ERR_EXECUTE_RESULT_TOO_LARGE');
  expect(await ending(executor, 'return 1')).toBe('completed');
  expect(executor.pid).toBe(pid);
});

test('whoever answers tool calls and fails at it ends no process and no run', async () => {
  const executor = await (steady ??= openTestExecutor({ workers: 2 }));
  const body = 'try { await ampoule.callTool("s", "t") } catch (e) { return [e.code, e.message] }';
  const answers: NonNullable<RunOptions['onCall']>[] = [
    raise,
    () => Promise.reject(new Error('a secret of the host')),
    () => Promise.reject(undefined),
    () => Promise.resolve({ ok: false, error: { code: 'ERR_CALL_TOOL', message: 'm', content: 1n } }),
  ];
  for (const onCall of answers) {
    const outcome = await runBody(executor, body, { onCall, limits: { waitMs: 2_000 } });
    expect(resultOf(outcome)).toEqual(['ERR_INTERNAL', 'The call could not be made.']);
  }
});

test('the program of a run may be made without running it', async () => {
  const executor = await (steady ??= openTestExecutor({ workers: 2 }));
  const key = keyOf('return 1', 'e');
  expect((await executor.make({ key, script: 'return 1' })).length).toBeGreaterThan(1_000);
  await expect(executor.make({ key, script: 'return (' })).rejects.toMatchObject({ code: 'ERR_COMPONENT_LOAD' });
});

test('a program that is being made when the process dies is lost, not waited for', async () => {
  const executor = await anyVictim();
  const made = executor.make({ key: 'ab'.repeat(32), script: `return ${JSON.stringify('x'.repeat(4_000_000))}` });
  kill(executor);
  await expect(made).rejects.toMatchObject({ code: 'ERR_EXECUTE_LOST' });
});
