import { join } from 'node:path';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import { compileEngine } from '../src/execute/executor/engine-host.ts';
import { readModules } from '../src/execute/engine-modules.ts';
import { createWorkerPool, type WorkerPool } from '../src/execute/executor/pool.ts';
import type { RunOutcome } from '../src/execute/run.ts';
import type { RunTask, StepNews } from '../src/execute/worker-protocol.ts';
import { programKey } from '../src/component/program-key.ts';
import { defaultRunLimits } from './limits.ts';
import { median, percentile, time } from './measure.ts';
import { script, TWO_CALLS } from './programs.ts';

const WARM_UP = 300;
const RUNS = 2_000;
const MIXED_ROUNDS = 100;
const MIXED_PROGRAMS = 8;
const TRAFFIC_BYTES = 4 * 1024 * 1024;
const AT_ONCE = 64;
const BESIDE_WARM_UP = 20;
const BESIDE_RUNS = 100;
const WAITING = [1, 10, 100, 1_000];
const NO_CALLS = 'return { n: input, list: [1, 2, 3].map((x) => x * 2) };';

interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

export interface InPoolReport {
  /** A repeated program with two calls of a tool in the same process, in milliseconds. */
  readonly repeated: Quantiles;
  /** The same, while seven other programs run in between and the processor's caches are used for something else. */
  readonly mixed: Quantiles;
  /** Runs per second with 64 at once: two tool calls each. */
  readonly perSecond: number;
  /** The same without tool calls. */
  readonly perSecondWithoutCalls: number;
}

/** How long a short run takes while so many others wait for a tool, in milliseconds. */
export interface WaitingReport extends Quantiles {
  readonly waiting: number;
}

/** The worker pool alone: no gateway, no second process; the tool answers from this thread. */
export async function measureInPool(engine: EngineFiles): Promise<InPoolReport> {
  const bench = await openBench(engine);
  try {
    const two = await bench.make(TWO_CALLS);
    const none = await bench.make(NO_CALLS);
    for (let i = 0; i < WARM_UP; i++) await bench.run(two);
    return {
      repeated: quantiles(await bench.times(RUNS, () => bench.run(two))),
      mixed: await mixed(bench),
      perSecond: await perSecond(() => bench.run(two)),
      perSecondWithoutCalls: await perSecond(() => bench.run(none)),
    };
  } finally {
    await bench.pool.close();
  }
}

/** The worker pool with 1 to 1,000 runs that wait for a tool: what a short run beside them takes. */
export async function measureBesideWaiting(engine: EngineFiles): Promise<WaitingReport[]> {
  const bench = await openBench(engine);
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const waiting: Promise<void>[] = [];
  const report: WaitingReport[] = [];
  try {
    const two = await bench.make(TWO_CALLS);
    const none = await bench.make(NO_CALLS);
    for (const count of WAITING) {
      while (waiting.length < count) waiting.push(bench.run(two, answered));
      await bench.times(BESIDE_WARM_UP, () => bench.run(none));
      report.push({ waiting: count, ...quantiles(await bench.times(BESIDE_RUNS, () => bench.run(none))) });
    }
    answer();
    await Promise.all(waiting);
    return report;
  } finally {
    await bench.pool.close();
  }
}

type Program = Pick<RunTask, 'key' | 'program'>;

interface Bench {
  readonly pool: WorkerPool;
  make(body: string): Promise<Program>;
  run(program: Program, answered?: Promise<unknown>): Promise<void>;
  times(runs: number, work: () => Promise<void>): Promise<number[]>;
}

async function openBench(engine: EngineFiles): Promise<Bench> {
  const modules = Object.fromEntries(engine.modules.map((name) => [name, join(engine.directory, name)]));
  const setup = await compileEngine({ plan: engine.plan, modules: await readModules(modules), mounts: {} });
  const pool = createWorkerPool(setup, { workers: 'auto', maxRunsPerWorker: 1_024 });
  return {
    pool,
    make: async (body) => {
      const text = script(body);
      const key = programKey({ script: text, engineHash: engine.hash });
      const made = await pool.make({ key, script: text });
      if (!(made instanceof Uint8Array)) throw new Error(made.message);
      const program = new Uint8Array(new SharedArrayBuffer(made.length));
      program.set(made);
      return { key, program };
    },
    run: async (program, answered) => {
      const onStep = ({ calls }: StepNews): void => {
        const answer = (): void => {
          for (const { number } of calls) run.answer({ type: 'answer', call: number, ok: true, answer: '{"ok":{"items":[1,2,3]}}' });
        };
        if (answered) void answered.then(answer);
        else answer();
      };
      const run = pool.run({ ...TASK, ...program }, performance.now(), { onStep });
      const { end } = JSON.parse((await run.ended).outcome ?? '') as RunOutcome;
      if (end.status !== 'completed') throw new Error(end.message);
    },
    times: async (runs, work) => {
      const took: number[] = [];
      for (let i = 0; i < runs; i++) took.push(await time(work));
      return took;
    },
  };
}

/** Every program in turn, and between two runs more memory is read and written than the processor's inner caches hold. */
async function mixed(bench: Bench): Promise<Quantiles> {
  const programs: Program[] = [];
  for (let i = 0; i < MIXED_PROGRAMS; i++) programs.push(await bench.make(`const unique = ${i}; ${TWO_CALLS}`));
  const traffic = new Uint8Array(TRAFFIC_BYTES);
  const took: number[] = [];
  for (let round = 0; round < MIXED_ROUNDS; round++) {
    for (const program of programs) {
      traffic.copyWithin(0, TRAFFIC_BYTES / 2);
      traffic.fill(round);
      const ms = await time(() => bench.run(program));
      // The first rounds bring the programs to every worker.
      if (round >= MIXED_ROUNDS / 10) took.push(ms);
    }
  }
  return quantiles(took);
}

async function perSecond(runOnce: () => Promise<void>): Promise<number> {
  let left = RUNS * 4;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await runOnce();
  };
  const took = await time(() => Promise.all(Array.from({ length: AT_ONCE }, loop)));
  return (RUNS * 4) / (took / 1_000);
}

function quantiles(figures: readonly number[]): Quantiles {
  return { p50: median(figures), p95: percentile(figures, 0.95) };
}

const TASK = {
  executionId: 'bench',
  input: '1',
  state: '{}',
  limits: defaultRunLimits(),
  now: 1_700_000_000_000,
  seed: '0123456789abcdef'.repeat(4),
};
