import type { Bundle } from '../../src/bundle/bundle.ts';
import type { RunEnd, RunOutcome } from '../../src/execute/run.ts';
import { presentOutcome } from '../../src/result/present.ts';
import type { ExecuteResponse, OutcomeInput, PresentLimits } from '../../src/result/present.ts';

/** The agent's source; line N of it is line N + 100 of the script, and everything else belongs to nobody. */
export const SOURCE = ['const a = 1;', '\tthrowIt(a);', 'function throwIt(x) { throw new Error(x); }'];

export const bundle: Bundle = {
  script: '',
  locate: (line, column) => {
    const source = SOURCE[line - 101];
    return source === undefined ? undefined : { line: line - 100, column, source };
  },
};

const LIMITS: PresentLimits = {
  maxResultBytes: 100_000,
  maxContentBytes: 1_000_000,
  maxLogBytes: 10_000,
  maxStateBytes: 1_000,
  maxJsonDepth: 50,
  maxJsonNodes: 10_000,
};

export function outcomeOf(end: RunEnd, changes: Partial<RunOutcome> = {}): RunOutcome {
  return {
    end,
    logs: [],
    droppedLogBytes: 0,
    calls: [],
    usage: { fuel: 1_234, peakMemoryBytes: 65_536, activeMs: 1.23456, waitingMs: 20, toolCalls: 2 },
    cache: 'miss',
    phases: { queue: 0.1, component: 5, run: 21 },
    ...changes,
  };
}

export function present(
  end: RunEnd,
  changes: Partial<RunOutcome> = {},
  limits: Partial<PresentLimits> = {},
  more: Partial<OutcomeInput> = {},
): Promise<ExecuteResponse> {
  const outcome = outcomeOf(end, changes);
  return presentOutcome({
    executionId: 'exec_1',
    session: 'ses_1',
    outcome,
    bundle,
    phases: { bundle: 2 },
    limits: { ...LIMITS, ...limits },
    ...more,
  });
}

export function presentValue(
  value: unknown,
  changes: Partial<RunOutcome> = {},
  more: Partial<OutcomeInput> = {},
): Promise<ExecuteResponse> {
  return present({ status: 'completed', result: JSON.stringify(value), state: '' }, changes, {}, more);
}

export function textOf({ content }: ExecuteResponse): string {
  const [first] = content;
  return first?.type === 'text' ? first.text : '';
}
