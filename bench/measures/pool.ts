import type { Contender } from '../contenders/contender.ts';
import { freshRuntime } from '../contenders/quickjs-emscripten.ts';
import { measureBesideWaiting, measureInPool, type InPoolReport } from '../in-pool.ts';
import { openInThread, type InThreadReport } from '../in-thread.ts';
import { median, percentile, time } from '../measure.ts';
import { patience, type Bench, type Part } from '../part.ts';
import type { Row } from '../result.ts';
import { repeatUntilSteady } from '../statistics.ts';
import { rateOf, TWO_CALL_PROGRAM, withControl } from './control.ts';

const BUDGET_MS = 20_000;
type Control = NonNullable<Row['control']>;

const THREAD_BUDGET_MS = 8_000;
const CONTROL_RUNS = 200;

export const pool: Part = {
  name: 'pool',
  about: 'reset and run in the worker pool alone, and runs per second',
  async measure(bench) {
    bench.step('in one thread');
    const { rows: thread, controls } = await inThread(bench);
    bench.step('in the pool');
    const once = (): Promise<InPoolReport> => measureInPool(bench.engine);
    const figures = ({ repeated, mixed, perSecond }: InPoolReport): number[] => [repeated.p50, mixed.p50, perSecond];
    const { result, control } = await withControl(() => repeatUntilSteady(once, figures, patience(bench, BUDGET_MS)));
    const { results, steady } = result;
    const rate = rateOf(control);
    const latency = (id: string, name: string, of: (report: InPoolReport) => { p50: number; p95: number }, other: Control): Row => ({
      id,
      name,
      unit: 'ms',
      value: median(results.map((report) => of(report).p50)),
      p95: median(results.map((report) => of(report).p95)),
      control: other,
      steady,
    });
    return {
      rows: [
        ...thread,
        latency('pool-hot', 'the same through the pool, hot', ({ repeated }) => repeated, controls.hot),
        latency('pool-among', 'the same through the pool, among other work', ({ mixed }) => mixed, controls.among),
        {
          id: 'pool-rate',
          name: 'runs per second, pool alone, two tool calls',
          unit: 'runs/s',
          value: medianOf(results, 'perSecond'),
          steady,
          control: rate,
        },
        {
          id: 'pool-rate-plain',
          name: 'runs per second, pool alone, no tool calls',
          unit: 'runs/s',
          value: medianOf(results, 'perSecondWithoutCalls'),
          steady,
        },
        ...(await besideWaiting(bench)),
      ],
    };
  },
};

function medianOf(results: readonly InPoolReport[], name: 'perSecond' | 'perSecondWithoutCalls'): number {
  return median(results.map((report) => report[name]));
}

/** Ours and the other in turns, in this thread: no message on either side, and the tool answers in a later turn on both. */
async function inThread(bench: Bench): Promise<{ rows: Row[]; controls: Record<'hot' | 'among', Control> }> {
  const ours = await openInThread(bench.engine);
  const quickjs = await freshRuntime();
  const others = { hot: [] as number[], among: [] as number[] };
  const both = async (): Promise<InThreadReport> => {
    await timeControl(quickjs, others.hot, others.among);
    return ours();
  };
  const figures = ({ hot, among }: InThreadReport): number[] => [median(hot), median(among)];
  const { results, steady } = await repeatUntilSteady(both, figures, patience(bench, THREAD_BUDGET_MS));
  const controlOf = (which: 'hot' | 'among'): Control => ({ name: 'fresh quickjs-emscripten runtime', value: median(others[which]) });
  const controls = { hot: controlOf('hot'), among: controlOf('among') };
  const row = (id: string, name: string, which: 'hot' | 'among'): Row => {
    const all = results.flatMap((report) => report[which]);
    return { id, name, unit: 'ms', value: median(all), p95: percentile(all, 0.95), control: controls[which], steady };
  };
  const rows = [
    row('reset-hot', 'reset and run in a worker, two tool calls, hot', 'hot'),
    row('reset-among', 'reset and run in a worker, two tool calls, among other work', 'among'),
  ];
  return { rows, controls };
}

/** In a row, and with the processor's caches used for something else in between, as ours is measured. */
async function timeControl(quickjs: Contender, hot: number[], among: number[]): Promise<void> {
  const traffic = new Uint8Array(4 * 1024 * 1024);
  for (let i = 0; i < CONTROL_RUNS; i += 1) hot.push(await time(() => quickjs.run(TWO_CALL_PROGRAM)));
  for (let i = 0; i < CONTROL_RUNS; i += 1) {
    traffic.copyWithin(0, traffic.length / 2);
    traffic.fill(i);
    among.push(await time(() => quickjs.run(TWO_CALL_PROGRAM)));
  }
}

async function besideWaiting(bench: Bench): Promise<Row[]> {
  bench.step('beside waiting runs');
  const reports = await measureBesideWaiting(bench.engine);
  return reports.map(({ waiting, p50, p95 }) => ({
    id: 'pool-beside',
    name: `a short run beside ${waiting.toLocaleString('en')} that wait`,
    unit: 'ms',
    value: p50,
    p95,
  }));
}
