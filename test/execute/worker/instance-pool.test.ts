import { join } from 'node:path';
import { afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { createImage } from '../../../src/component/image.ts';
import { compileEngine } from '../../../src/execute/executor/engine-host.ts';
import { readModules } from '../../../src/execute/engine-modules.ts';
import type { CompiledEngine } from '../../../src/engine/abi/link-engine.ts';
import type { EngineInstance } from '../../../src/execute/worker/engine-instance.ts';
import { InstancePool } from '../../../src/execute/worker/instance-pool.ts';
import { Programs, type LoadedProgram } from '../../../src/execute/worker/programs.ts';
import type { WorkerTask } from '../../../src/execute/worker-protocol.ts';
import { programKey } from '../../../src/component/program-key.ts';

/** Instances and programs as one worker has them, without the worker. */

const SEED = 'ab'.repeat(32);
const OPTIONS = JSON.stringify({
  now: 0,
  seed: SEED,
  maxResultBytes: 1e6,
  maxStateBytes: 1e6,
  maxLogBytes: 1e4,
  maxToolArgumentBytes: 1e4,
});
let engine: CompiledEngine;
let base: Uint8Array;
beforeAll(async () => {
  const { plan, modules, directory } = inject('engine');
  const setup = await compileEngine({
    plan,
    modules: await readModules(Object.fromEntries(modules.map((name) => [name, join(directory, name)]))),
    mounts: {},
  });
  engine = { plan, modules: setup.modules };
  base = setup.base;
});

afterEach(() => vi.useRealTimers());

const newPool = (): InstancePool => new InstancePool(engine, base, 4);
const memoryOf = ({ memory }: EngineInstance): Buffer => Buffer.from(memory.buffer);
const script = (body: string): string => `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
const keyOf = (text: string): string => programKey({ script: text, engineHash: 'e' });

function task(body: string, more: Partial<WorkerTask> = {}): WorkerTask {
  const text = script(body);
  return { key: keyOf(text), script: text, interrupt: new Int32Array(1), ...more } as WorkerTask;
}

function loaded(programs: Programs, wanted: WorkerTask): LoadedProgram {
  const program = programs.load(wanted);
  if ('status' in program) throw new Error(program.message);
  return program;
}

/** Runs what is loaded, as far as it goes without the outside; the texts of its status. */
function play({ instance, image }: LoadedProgram, maximumPages = 4_096, fuel = 1e10): string[] {
  instance.host = { callTool: () => 1, readFile: () => new Uint8Array(), getState: () => '{}', log: () => undefined };
  instance.meter.begin({ fuel, pages: image.pages, maximumPages, activeMs: 10_000, interrupt: new Int32Array(1) });
  instance.meter.active(() => instance.guest.start('null', OPTIONS));
  return instance.meter.active(() => instance.guest.status());
}

const BODIES = [
  'return 1',
  'globalThis.x = "canary".repeat(1000); return 1',
  'const a = []; for (let i = 0; i < 4; i++) a.push(new Uint8Array(1e6).fill(i + 1)); globalThis.a = a; return a.length',
  'Object.prototype.p = 1; Array.prototype.map = null; JSON.parse = 1; return 2',
  'await new Promise(() => {})',
  'throw new Error("no")',
];

test('whatever a program did, the instance is the image again to the last byte when it is taken again', () => {
  const pool = newPool();
  const programs = new Programs(pool, base);
  const fresh = Buffer.from(memoryOf(pool.take()));
  expect(fresh.equals(base)).toBe(true);
  for (const body of BODIES) {
    const program = loaded(programs, task(body));
    play(program);
    const { memory } = program.instance;
    pool.release(program.instance);
    const again = pool.take();
    expect(again.memory).toBe(memory);
    expect(memoryOf(again).subarray(0, base.length).equals(base)).toBe(true);
    expect(
      memoryOf(again)
        .subarray(base.length)
        .every((byte) => byte === 0),
    ).toBe(true);
  }
});

test('two runs of one program in one instance end with the same memory, whatever ran between them', () => {
  const pool = newPool();
  const programs = new Programs(pool, base);
  const wanted = task('return [1, 2, 3].map((x) => x * Math.random())');
  const after: [string, Buffer][] = BODIES.map((body) => {
    const between = loaded(programs, task(body));
    play(between);
    pool.release(between.instance);
    const program = loaded(programs, wanted);
    const result = play(program).join();
    const memory = Buffer.from(memoryOf(program.instance).subarray(0, program.instance.meter.pages * 65_536));
    pool.release(program.instance);
    return [result, memory];
  });
  expect(new Set(after.map(([result]) => result)).size).toBe(1);
  expect(after.every(([, memory]) => memory.equals(after[0]?.[1] ?? Buffer.alloc(0)))).toBe(true);
});

test('an instance that a run bloated is not kept', () => {
  const pool = newPool();
  const programs = new Programs(pool, base);
  const program = loaded(programs, task('globalThis.a = new Uint8Array(1e8).fill(1); return 1'));
  expect(play(program)[1]).toBe('1');
  expect(program.instance.memory.buffer.byteLength).toBeGreaterThan(1e8);
  pool.release(program.instance);
  expect(pool.take().memory).not.toBe(program.instance.memory);
});

test('what a burst needed is given back when the worker has begun nothing for a while, and not before', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] });
  const pool = new InstancePool(engine, base, 6);
  const take = (): EngineInstance[] => Array.from({ length: 6 }, () => pool.take());
  const burst = take();
  const back = (instances: readonly EngineInstance[]): void => instances.forEach((instance) => pool.release(instance));
  back(burst);
  vi.advanceTimersByTime(1_400);
  const again = take();
  expect(again.filter((instance) => burst.includes(instance))).toHaveLength(6);
  back(again);
  vi.advanceTimersByTime(3_100);
  expect(take().filter((instance) => burst.includes(instance))).toHaveLength(4);
});

test('an instance that was stopped in the middle of a call is never used again', () => {
  const pool = newPool();
  const programs = new Programs(pool, base);
  const program = loaded(programs, task('for (;;) {}'));
  expect(() => play(program, 4_096, 20_000_000)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' }));
  pool.discard(program.instance);
  const taken = Array.from({ length: 6 }, () => pool.take());
  expect(taken.map(({ memory }) => memory)).not.toContain(program.instance.memory);
});

test('no host function of a run can be called when it is over', () => {
  const pool = newPool();
  const program = loaded(new Programs(pool, base), task('return 1'));
  play(program);
  pool.release(program.instance);
  expect(() => program.instance.host.getState()).toThrow('outside of a run');
});

test('an image larger than the memory of an idle instance grows it', () => {
  const pool = newPool();
  pool.release(pool.take());
  const pages = base.length / 65_536 + 20;
  const blocks = [{ offset: (pages - 1) * 65_536, bytes: Uint8Array.of(1, 2, 3) }];
  const instance = pool.take(createImage(base, { pages, blocks }));
  expect(memoryOf(instance).subarray((pages - 1) * 65_536, (pages - 1) * 65_536 + 4)).toEqual(Buffer.from([1, 2, 3, 0]));
  pool.release(instance);
  expect(
    memoryOf(pool.take())
      .subarray(base.length)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test('a program is made once and found again, also from its encoded form', () => {
  const pool = newPool();
  const wanted = task('return 40 + 2');
  const programs = new Programs(pool, base);
  const first = loaded(programs, wanted);
  expect(first.cache).toBe('miss');
  expect(loaded(programs, wanted).cache).toBe('hit');
  const elsewhere = loaded(new Programs(newPool(), base), task('return 40 + 2', { program: first.encode?.() ?? new Uint8Array() }));
  expect(elsewhere.cache).toBe('hit');
  expect(play(elsewhere)[1]).toBe('42');
});

test('the same bundle gives the same bytes in every instance', () => {
  const wanted = task('return 40 + 2');
  const made = [0, 1].map(() => loaded(new Programs(newPool(), base), wanted).encode?.() ?? new Uint8Array());
  const used = newPool();
  const programs = new Programs(used, base);
  for (const body of BODIES) {
    const program = loaded(programs, task(body));
    play(program);
    used.release(program.instance);
  }
  made.push(loaded(programs, wanted).encode?.() ?? new Uint8Array());
  expect(made[0]?.length).toBeGreaterThan(1_000);
  expect(made.every((bytes) => Buffer.from(bytes).equals(made[0] ?? new Uint8Array()))).toBe(true);
});

test('a bundle that the engine refuses is told so, and not cached', () => {
  const programs = new Programs(newPool(), base);
  const wanted = task('return /(/');
  for (let i = 0; i < 2; i++) {
    expect(programs.load(wanted)).toMatchObject({ status: 'failed', code: 'ERR_COMPONENT_LOAD', name: 'SyntaxError' });
  }
  expect(programs.make({ key: wanted.key, script: wanted.script ?? '' })).toMatchObject({ code: 'ERR_COMPONENT_LOAD' });
});

test('damaged bytes of a program are refused', () => {
  const made = loaded(new Programs(newPool(), base), task('return 3')).encode?.() ?? new Uint8Array();
  const bent = Uint8Array.from(made);
  bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 1;
  for (const program of [bent, made.subarray(0, 100), new Uint8Array(), Buffer.from('rubbish')]) {
    expect(() => new Programs(newPool(), base).load(task('return 3', { program }))).toThrow(
      expect.objectContaining({ code: 'ERR_COMPONENT_DAMAGED' }),
    );
  }
});

test('making a program stops when its run is cancelled', () => {
  const interrupt = Int32Array.of(1);
  expect(new Programs(newPool(), base).load(task('return 1', { interrupt }))).toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
});
