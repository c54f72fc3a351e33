import { programKey } from '../src/component/program-key.ts';
import type { RunLimits, RunOutcome, ToolAnswer } from '../src/execute/run.ts';
import type { OpenSandbox } from '../src/open-sandbox.ts';
import { defaultRunLimits } from './limits.ts';

const LIMITS = defaultRunLimits();
const NEVER = new AbortController().signal;

export interface ProgramRun {
  readonly script: string;
  readonly limits?: Partial<RunLimits>;
  /** Answers every tool call. Default: with a few numbers. */
  readonly onCall?: () => Promise<ToolAnswer>;
  readonly signal?: AbortSignal;
}

/** Runs a script in the executor process. It may fail: that is in the outcome. */
export function runProgram({ executor, engine }: Pick<OpenSandbox, 'executor' | 'engine'>, run: ProgramRun): Promise<RunOutcome> {
  const program = { key: programKey({ script: run.script, engineHash: engine.hash }), script: run.script };
  const request = { executionId: 'bench', program, input: '1', state: '{}', limits: { ...LIMITS, ...run.limits } };
  return executor.run(request, run.onCall ?? answered, run.signal ?? NEVER);
}

function answered(): Promise<ToolAnswer> {
  return Promise.resolve({ ok: true, value: '{"items":[1,2,3]}' });
}
