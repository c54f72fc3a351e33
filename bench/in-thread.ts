import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { programKey } from '../src/component/program-key.ts';
import type { EngineFiles } from '../src/engine/engine-files.ts';
import { createBoard } from '../src/execute/worker/board.ts';
import { compileEngine } from '../src/execute/executor/engine-host.ts';
import { readModules } from '../src/execute/engine-modules.ts';
import { InstancePool } from '../src/execute/worker/instance-pool.ts';
import { Outbox } from '../src/execute/worker/outbox.ts';
import { Programs } from '../src/execute/worker/programs.ts';
import { RunPort } from '../src/execute/worker/run-port.ts';
import { runProgram } from '../src/execute/worker/run-program.ts';
import type { LineEvent, WorkerTask } from '../src/execute/worker-protocol.ts';
import { defaultRunLimits } from './limits.ts';
import { time } from './measure.ts';
import { script, TWO_CALLS } from './programs.ts';

const WARM_UP = 300;
const RUNS = 400;
const MIXED_PROGRAMS = 8;
const TRAFFIC_BYTES = 4 * 1024 * 1024;
/** Instances made ahead are there by then. */
const PREPARED_MS = 200;

/** What a worker does for a run, in this thread: memory, run and memory again, without a message. In milliseconds. */
export interface InThreadReport {
  /** One program again and again. */
  readonly hot: readonly number[];
  /** Eight programs in turn, with more memory in use between them than the processor's inner caches hold. */
  readonly among: readonly number[];
}

/** Opens an engine in this thread; each call measures a batch. */
export async function openInThread(engine: EngineFiles): Promise<() => Promise<InThreadReport>> {
  const worker = await openWorker(engine);
  const traffic = new Uint8Array(TRAFFIC_BYTES);
  const scripts = Array.from({ length: MIXED_PROGRAMS }, (_, i) => script(`const unique = ${i}; ${TWO_CALLS}`));
  for (let i = 0; i < WARM_UP; i++) await worker(scripts[i % MIXED_PROGRAMS] ?? '');
  return async () => {
    const hot: number[] = [];
    const among: number[] = [];
    for (let i = 0; i < RUNS; i++) hot.push(await time(() => worker(scripts[0] ?? '')));
    for (let i = 0; i < RUNS; i++) {
      traffic.copyWithin(0, TRAFFIC_BYTES / 2);
      traffic.fill(i);
      among.push(await time(() => worker(scripts[i % MIXED_PROGRAMS] ?? '')));
    }
    return { hot, among };
  };
}

const NO_TIME = { cache: 'hit', phases: { queue: 0, component: 0, run: 0 } } as const;

/** Runs a script to its end, memory put back included. */
async function openWorker(engine: EngineFiles): Promise<(text: string) => Promise<void>> {
  const modules = Object.fromEntries(engine.modules.map((name) => [name, join(engine.directory, name)]));
  const setup = await compileEngine({ plan: engine.plan, modules: await readModules(modules), mounts: {} });
  const instances = new InstancePool(setup, setup.base, 4);
  const programs = new Programs(instances, setup.base);
  instances.prepare();
  await new Promise((resolve) => void setTimeout(resolve, PREPARED_MS));
  return async (text) => {
    const task = taskFor(text, engine.hash);
    const loaded = programs.load(task);
    if ('status' in loaded) throw new Error(loaded.message);
    const { instance, image } = loaded;
    const { outcome } = await runProgram({ instance, image, mounts: setup.mounts, spent: () => NO_TIME }, task);
    if (outcome?.end.status !== 'completed') throw new Error(`the run ended otherwise: ${JSON.stringify(outcome?.end)}`);
    instances.release(loaded.instance, loaded.image);
    // Memory is put back in the next turn.
    await new Promise((resolve) => void setImmediate(resolve));
  };
}

function taskFor(text: string, engineHash: string): WorkerTask {
  const { port1, port2 } = CHANNEL;
  port2.unref();
  const port: RunPort = new RunPort(1, (event) => answer(port, event), createBoard(1), new Outbox(port1));
  const seed = '0123456789abcdef'.repeat(4);
  const values = { executionId: 'bench', input: '1', state: '{}', limits: defaultRunLimits(), now: 1_700_000_000_000, seed };
  return { ...values, key: programKey({ script: text, engineHash }), script: text, port, interrupt: new Int32Array(1) };
}

const CHANNEL = new MessageChannel();

/** In a later turn, as a real tool answers. */
function answer(port: RunPort, event: LineEvent): void {
  if (event.type !== 'step') return;
  setImmediate(() => {
    for (const { number } of event.calls) port.receive({ type: 'answer', call: number, ok: true, answer: '{"ok":{"items":[1,2,3]}}' });
  });
}
