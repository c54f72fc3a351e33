import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { inject } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import { createBoard } from '../../src/execute/worker/board.ts';
import { compileEngine } from '../../src/execute/executor/engine-host.ts';
import { readModules } from '../../src/execute/engine-modules.ts';
import { InstancePool } from '../../src/execute/worker/instance-pool.ts';
import { Outbox } from '../../src/execute/worker/outbox.ts';
import { Programs } from '../../src/execute/worker/programs.ts';
import { RunPort } from '../../src/execute/worker/run-port.ts';
import { runProgram, type FinishedRun } from '../../src/execute/worker/run-program.ts';
import { wakeRun } from '../../src/execute/worker/sleeping-run.ts';
import type { RunLimits, RunStep } from '../../src/execute/run.ts';
import type { LineEvent, RunTask, SentCall, WorkerSetup } from '../../src/execute/worker-protocol.ts';
import { DEFAULT_RUN_LIMITS } from './executor.ts';

/** A worker's parts in the thread of a test, which so sees and decides all that comes in and goes out. */

const SPENT = { cache: 'hit', phases: { queue: 0, component: 0, run: 0 } } as const;
const CHANNEL = new MessageChannel();
CHANNEL.port1.unref();
CHANNEL.port2.unref();

export const START = 1_700_000_000_000;

export interface TaskOptions extends Partial<Omit<RunTask, 'limits'>> {
  readonly limits?: Partial<RunLimits>;
}

/** A program's body, as the body of an async function that has `ampoule` and `input`. */
export function taskOf(body: string, { limits, ...more }: TaskOptions = {}): RunTask {
  const script = `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
  const key = programKey({ script, engineHash: inject('engine').hash });
  const values = { executionId: 'exe_test', input: 'null', state: '{}', now: START, seed: '0123456789abcdef'.repeat(4) };
  return { ...values, key, script, limits: { ...DEFAULT_RUN_LIMITS, ...limits }, ...more };
}

/** One attempt of a run. */
export class ThreadRun {
  readonly task: RunTask;
  readonly port: RunPort;
  readonly calls: SentCall[] = [];
  readonly awaits: number[] = [];
  readonly steps: RunStep[] = [];
  readonly files: { path: string; bytes: number; hash: string }[] = [];
  /** What it said when it could not leave. */
  readonly waits: (number | null)[] = [];
  readonly ended: Promise<FinishedRun>;
  /** How it left its worker. */
  left: FinishedRun | undefined;
  thrown: unknown;
  isResting = false;

  constructor(task: RunTask, run: (self: ThreadRun) => Promise<FinishedRun>) {
    this.task = task;
    this.port = new RunPort(1, (event) => this.#hear(event), createBoard(1), new Outbox(CHANNEL.port1));
    const { port } = this;
    const rest = port.rest.bind(port);
    const resume = port.resume.bind(port);
    port.rest = () => {
      rest();
      this.isResting = true;
    };
    port.resume = () => {
      resume();
      this.isResting = false;
    };
    this.ended = run(this);
    this.ended.then(
      (left) => {
        port.close();
        const history = port.takeHistory();
        this.steps.push(...(history?.steps ?? []));
        this.files.push(...(history?.files ?? []));
        this.left = left;
      },
      (thrown: unknown) => (this.thrown = thrown),
    );
  }

  answer(call: number, text: string, ok = true): void {
    this.port.receive({ type: 'answer', call, ok, answer: text, ...(ok ? {} : { code: 'ERR_CALL_TOOL' }) });
  }

  /** Until it rests, or has left. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3 && !this.left && this.thrown === undefined;) {
      await new Promise((resolve) => void setImmediate(resolve));
      quiet = this.isResting ? quiet + 1 : 0;
    }
  }

  #hear(event: LineEvent): void {
    if (event.type === 'waiting') this.waits.push(event.nextTimer);
    if (event.type !== 'step') return;
    this.steps.push(...(event.history?.steps ?? []));
    this.files.push(...(event.history?.files ?? []));
    this.awaits.push(...(event.awaits ?? []));
    this.calls.push(...event.calls);
  }
}

export class ThreadWorker {
  readonly #setup: WorkerSetup;
  readonly #instances: InstancePool;
  readonly #programs: Programs;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#instances = new InstancePool(setup, setup.base, 4);
    this.#programs = new Programs(this.#instances, setup.base);
  }

  begin(task: RunTask): ThreadRun {
    return new ThreadRun(task, (self) => this.#run(task, self));
  }

  async #run(given: RunTask, { port }: ThreadRun): Promise<FinishedRun> {
    const task = { ...given, port, interrupt: new Int32Array(1) };
    const program = this.#programs.load(task);
    if ('status' in program) throw new Error(program.message);
    const { instance, image } = program;
    let isBroken = false;
    try {
      const from = task.from?.kind === 'image' ? wakeRun(instance, image, task, task.from) : undefined;
      const finished = await runProgram({ instance, image, mounts: this.#setup.mounts, spent: () => SPENT }, task, from);
      isBroken = finished.broken;
      return finished;
    } finally {
      if (isBroken) this.#instances.discard(instance);
      else this.#instances.release(instance, image);
    }
  }
}

/** Workers of one process, with the suite's engine. */
export async function openThreadWorkers(count: number, mounts: Readonly<Record<string, string>> = {}): Promise<ThreadWorker[]> {
  const { plan, modules, directory } = inject('engine');
  const files = await readModules(Object.fromEntries(modules.map((name) => [name, join(directory, name)])));
  const setup = await compileEngine({ plan, modules: files, mounts });
  return Array.from({ length: count }, () => new ThreadWorker(setup));
}
