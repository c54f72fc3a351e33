import { join } from 'node:path';
import { programKey } from '../src/component/program-key.ts';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import type { RunLimits, RunOutcome, ToolAnswer } from '../src/execute/run.ts';
import { startExecutor, type SupervisedExecutor } from '../src/execute/supervised-executor.ts';
import { defaultRunLimits } from './limits.ts';
import { median, percentile, time } from './measure.ts';
import { script, TWO_CALLS } from './programs.ts';

const WARM_UP = 200;
const RUNS = 1_000;
const NEW_PROGRAMS = 200;
const STOPS = 20;
const STOP_LIMIT_MS = 100;

interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

export interface ExecutorReport {
  /** A repeated program with two tool calls, seen from the gateway, in milliseconds. */
  readonly repeated: Quantiles;
  /** From a small bundle never seen before to its image. */
  readonly componentize: Quantiles;
  /** How long after its limit an endless loop ends, and how long the next run takes. */
  readonly stop: { late: Quantiles; next: Quantiles };
  /** Runs per second with 64 at once. */
  readonly perSecond: number;
}

export async function measureExecutor(engine: EngineFiles): Promise<ExecutorReport> {
  const executor = await startExecutor({
    init: {
      plan: engine.plan,
      modules: Object.fromEntries(engine.modules.map((name) => [name, join(engine.directory, name)])),
      mounts: {},
      workers: 'auto',
      maxRunsPerWorker: 64,
      maxQueuedRuns: 256,
    },
    programs: { get: () => Promise.resolve(undefined), put: () => Promise.resolve() },
    log: { debug: () => undefined, warn: (message) => process.stderr.write(`${message}\n`) },
  });
  const run = runner(executor, engine.hash);
  try {
    for (let i = 0; i < WARM_UP; i++) await run(TWO_CALLS);
    return {
      repeated: await repeated(run),
      componentize: await componentize(run),
      stop: await stops(run),
      perSecond: await perSecond(run),
    };
  } finally {
    await executor.close();
  }
}

type Run = (body: string, limits?: Partial<RunLimits>) => Promise<RunOutcome>;

function runner(executor: SupervisedExecutor, engineHash: string): Run {
  const defaults = defaultRunLimits();
  const answer = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: '{"items":[1,2,3]}' });
  const never = new AbortController().signal;
  return (body, limits = {}) => {
    const text = script(body);
    const program = { key: programKey({ script: text, engineHash }), script: text };
    return executor.run({ executionId: 'bench', program, input: '1', state: '{}', limits: { ...defaults, ...limits } }, answer, never);
  };
}

async function repeated(run: Run): Promise<Quantiles> {
  const took: number[] = [];
  for (let i = 0; i < RUNS; i++) took.push(await time(() => run(TWO_CALLS)));
  return quantiles(took);
}

async function componentize(run: Run): Promise<ExecutorReport['componentize']> {
  const took: number[] = [];
  for (let i = 0; i < NEW_PROGRAMS; i++) took.push((await run(`const unique = ${i}; ${TWO_CALLS}`)).phases.component);
  return quantiles(took);
}

async function stops(run: Run): Promise<ExecutorReport['stop']> {
  const late: number[] = [];
  const next: number[] = [];
  for (let i = 0; i < STOPS; i++) {
    const { usage } = await run('for (;;) {}', { timeoutMs: STOP_LIMIT_MS });
    late.push(usage.activeMs - STOP_LIMIT_MS);
    next.push(await time(() => run(TWO_CALLS)));
  }
  return { late: quantiles(late), next: quantiles(next) };
}

async function perSecond(run: Run): Promise<number> {
  let left = 4_000;
  const took = await time(() =>
    Promise.all(
      Array.from({ length: 64 }, async () => {
        while (left-- > 0) await run(TWO_CALLS);
      }),
    ),
  );
  return 4_000 / (took / 1_000);
}

function quantiles(figures: readonly number[]): Quantiles {
  return { p50: median(figures), p95: percentile(figures, 0.95) };
}
