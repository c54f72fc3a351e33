import { join } from 'node:path';
import { inject } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import { LIMITS } from '../../src/limits.ts';
import type { RunLimits, RunOutcome, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import type { ProgramStore } from '../../src/execute/known-programs.ts';
import { startExecutor, type SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import type { ExecutorInit } from '../../src/execute/executor-supervisor.ts';

const RUN_LIMIT_NAMES = [
  'timeoutMs',
  'waitMs',
  'fuel',
  'memoryMb',
  'maxToolCalls',
  'maxConcurrentToolCalls',
  'maxResultBytes',
  'maxStateBytes',
  'maxLogBytes',
  'maxToolArgumentBytes',
  'maxFileBytes',
] as const;

export const DEFAULT_RUN_LIMITS = Object.fromEntries(RUN_LIMIT_NAMES.map((name) => [name, LIMITS[name].default])) as unknown as RunLimits;

/** An executor process with the suite's engine. The caller closes it. */
export function openTestExecutor(init: Partial<ExecutorInit> = {}, programs: ProgramStore = memoryStore()): Promise<SupervisedExecutor> {
  return startExecutor({ init: { ...testInit(), ...init }, programs, log: { debug: () => undefined, warn: () => undefined } });
}

let shared: Promise<SupervisedExecutor> | undefined;

/** One for all files of this process that leave it as it was: a start costs more than most of them. It ends with the process. */
export function sharedExecutor(): Promise<SupervisedExecutor> {
  return (shared ??= openTestExecutor());
}

/** One worker with the suite's engine. */
export function testInit(): ExecutorInit {
  const { plan, modules, directory } = inject('engine');
  const paths = Object.fromEntries(modules.map((name) => [name, join(directory, name)]));
  return { plan, modules: paths, mounts: {}, workers: 1, maxRunsPerWorker: 64, maxQueuedRuns: 64 };
}

/** Programs in a map. */
export function memoryStore(programs = new Map<string, Uint8Array>()): ProgramStore {
  return {
    get: (key) => Promise.resolve(programs.get(key)),
    put: (key, program) => Promise.resolve(void programs.set(key, program)),
  };
}

export interface RunOptions {
  limits?: Partial<RunLimits>;
  input?: unknown;
  state?: unknown;
  now?: number;
  seed?: string;
  signal?: AbortSignal;
  onCall?: (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer>;
}

/** Runs the body of an async function that has `ampoule` and `input`. Tool calls are answered with their own arguments. */
export function runBody(executor: Pick<SupervisedExecutor, 'run'>, body: string, options: RunOptions = {}): Promise<RunOutcome> {
  const script = `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
  const { now, seed } = options;
  const request = {
    executionId: 'exe_test',
    program: { key: programKey({ script, engineHash: inject('engine').hash }), script },
    input: JSON.stringify(options.input ?? null),
    state: JSON.stringify(options.state ?? {}),
    limits: { ...DEFAULT_RUN_LIMITS, ...options.limits },
    ...(now === undefined ? {} : { now }),
    ...(seed === undefined ? {} : { seed }),
  };
  const echo = (call: ToolCall): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: call.arguments });
  return executor.run(request, options.onCall ?? echo, options.signal ?? new AbortController().signal);
}

/** The value of a completed run; throws with the failure of any other. */
export function resultOf(outcome: RunOutcome): unknown {
  if (outcome.end.status !== 'completed') throw new Error(`${outcome.end.code}: ${outcome.end.message}`);
  return outcome.end.result === '' ? undefined : JSON.parse(outcome.end.result);
}

/** The code of a failed run, or "completed". */
export function codeOf({ end }: RunOutcome): string {
  return end.status === 'failed' ? end.code : end.status;
}
