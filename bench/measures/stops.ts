import type { RunLimits } from '../../src/execute/run.ts';
import type { OpenSandbox } from '../../src/open-sandbox.ts';
import { time } from '../measure.ts';
import { patience, type Part } from '../part.ts';
import { script } from '../programs.ts';
import type { Row } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { describe, sampleUntilSteady } from '../statistics.ts';
import { TWO_CALLS_RUN, withControl } from './control.ts';
import { runProgram } from '../run-program.ts';

const BUDGET_MS = 6_000;
const TIME_LIMIT_MS = 50;

/** One program for each limit that stops a run. */
const STOPS: readonly { readonly by: string; readonly body: string; readonly code: string; readonly limits: Partial<RunLimits> }[] = [
  { by: 'time', body: 'for (;;) {}', code: 'ERR_EXECUTE_ACTIVE_TIME', limits: { timeoutMs: TIME_LIMIT_MS } },
  { by: 'fuel', body: 'for (;;) {}', code: 'ERR_EXECUTE_FUEL', limits: { fuel: 50_000_000 } },
  { by: 'memory', body: 'const a = []; for (;;) a.push(new Array(1e4).fill(1));', code: 'ERR_EXECUTE_MEMORY', limits: { memoryMb: 32 } },
];

export const stops: Part = {
  name: 'stops',
  about: 'how late a limit stops a run, and how long the run after it takes',
  async measure(bench) {
    await using sandbox = await openBenchSandbox(bench, { config: { check: 'off', workers: 1 } });
    await runProgram(sandbox, TWO_CALLS_RUN);
    const late: number[] = [];
    const { result, control } = await withControl(async () => {
      const rows: Omit<Row, 'control'>[] = [];
      for (const stop of STOPS) {
        bench.step(stop.by);
        const batch = async (): Promise<number[]> => [await stopped(sandbox, stop, late)];
        const { p50, p95, steady } = await sampleUntilSteady(batch, patience(bench, BUDGET_MS));
        rows.push({ id: 'stop-next', name: `the run after one stopped for ${stop.by}`, unit: 'ms', value: p50, p95, steady });
      }
      return rows;
    });
    const { p50: value, p95, steady } = describe(late);
    return {
      rows: [
        { id: 'stop-late', name: 'an endless loop ends after its limit', unit: 'ms', value, p95, steady },
        ...result.map((row): Row => ({ ...row, control })),
      ],
    };
  },
};

/** Stops one run; how long the next one takes on the same, only worker. */
async function stopped(sandbox: OpenSandbox, stop: (typeof STOPS)[number], late: number[]): Promise<number> {
  const { end, usage } = await runProgram(sandbox, { script: script(stop.body), limits: stop.limits });
  if (end.status !== 'failed' || end.code !== stop.code) throw new Error(`stopped for ${stop.by}: ${JSON.stringify(end).slice(0, 300)}`);
  if (stop.by === 'time') late.push(usage.activeMs - TIME_LIMIT_MS);
  return time(() => runProgram(sandbox, TWO_CALLS_RUN));
}
