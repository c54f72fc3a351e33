import { MessageChannel } from 'node:worker_threads';
import { join } from 'node:path';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import { compileEngine } from '../src/execute/engine-host.ts';
import { createWorkerPool } from '../src/execute/pool.ts';
import type { WorkerMessage, WorkerTask } from '../src/execute/worker-protocol.ts';
import { programKey } from '../src/component/program-key.ts';
import { defaultRunLimits } from './limits.ts';
import { median, percentile, time } from './measure.ts';
import { script, TWO_CALLS } from './programs.ts';

const WARM_UP = 300;
const RUNS = 2_000;
const AT_ONCE = 64;

export interface InPoolReport {
  /** A repeated program with two calls of a tool in the same process, in milliseconds. */
  readonly repeated: { readonly p50: number; readonly p95: number };
  /** Runs per second with 64 at once. */
  readonly perSecond: number;
}

/** The worker pool alone: no gateway, no second process; the tool answers from this thread. */
export async function measureInPool(engine: EngineFiles): Promise<InPoolReport> {
  const modules = Object.fromEntries(engine.modules.map((name) => [name, join(engine.directory, name)]));
  const options = { workers: 'auto', maxRunsPerWorker: 64, maxQueuedRuns: 0 } as const;
  const pool = createWorkerPool(await compileEngine({ type: 'init', plan: engine.plan, modules, mounts: {}, ...options }), options);
  const text = script(TWO_CALLS);
  const key = programKey({ script: text, engineHash: engine.hash });
  const made = await pool.make({ key, script: text });
  if (!(made instanceof Uint8Array)) throw new Error(made.message);
  const program = new Uint8Array(new SharedArrayBuffer(made.length));
  program.set(made);
  const runOnce = async (): Promise<void> => {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', ({ call }: WorkerMessage) =>
      port1.postMessage({ type: 'answer', call: call.number, ok: true, answer: '{"ok":{"items":[1,2,3]}}' }),
    );
    const task: WorkerTask = { ...TASK, key, program, port: port2, interrupt: new Int32Array(new SharedArrayBuffer(4)) };
    const { outcome } = await pool.run(task);
    port1.close();
    if (outcome.end.status !== 'completed') throw new Error(outcome.end.message);
  };
  try {
    for (let i = 0; i < WARM_UP; i++) await runOnce();
    const took: number[] = [];
    for (let i = 0; i < RUNS; i++) took.push(await time(runOnce));
    let left = RUNS * 2;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await runOnce();
    };
    const all = await time(() => Promise.all(Array.from({ length: AT_ONCE }, loop)));
    return { repeated: { p50: median(took), p95: percentile(took, 0.95) }, perSecond: (RUNS * 2) / (all / 1_000) };
  } finally {
    await pool.close();
  }
}

const TASK = {
  executionId: 'bench',
  input: '1',
  state: '{}',
  limits: defaultRunLimits(),
  now: 1_700_000_000_000,
  seed: '0123456789abcdef'.repeat(4),
};
