import { median } from '../measure.ts';
import { measureAgain, measureCold, measureThroughput, openGateway, type Gateway, type OverHttp } from '../over-http.ts';
import { programOf } from '../over-http-upstream.ts';
import { patience, type Part } from '../part.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Breakdown, Distribution, Row } from '../result.ts';
import { configOf } from '../sandbox.ts';
import { percentiles, repeatUntilSteady } from '../statistics.ts';
import { rateOf, withControl } from './control.ts';

const BUDGET_MS = 10_000;
const CONCURRENCY = 32;
const ARGUMENTS = { input: { repo: 'a/b' } };
/** Numbers of programs that the other measurements do not use. */
const UNUSED = 500_000;

export const http: Part = {
  name: 'http',
  about: 'never-seen and repeated programs over Streamable HTTP, and runs per second',
  async measure(bench) {
    await using gateway = await openGateway(configOf(bench));
    const [cold, again, rate] = bench.quick ? [100, 300, 1_000] : [200, 600, 3_000];
    const { result, control } = await withControl(async () => {
      bench.step('never seen');
      const colds = await repeatUntilSteady(() => measureCold(gateway, cold), figuresOf, patience(bench, BUDGET_MS));
      bench.step('the same again');
      const agains = await repeatUntilSteady(() => measureAgain(gateway, again), figuresOf, patience(bench, BUDGET_MS));
      bench.step('runs per second');
      const rates = await repeatUntilSteady(
        () => measureThroughput(gateway, CONCURRENCY, rate),
        (perSecond) => [perSecond],
        patience(bench, BUDGET_MS),
      );
      return { colds, agains, rates };
    });
    const perSecond = { value: median(result.rates.results), control: rateOf(control), steady: result.rates.steady };
    return {
      rows: [
        latencyRow('http-cold', 'never-seen program over HTTP, checked', result.colds, control),
        latencyRow('http-again', 'the same program again over HTTP', result.agains, control),
        { id: 'http-rate', name: `runs per second over HTTP, ${CONCURRENCY} at once`, unit: 'runs/s', ...perSecond },
      ],
      breakdowns: [breakdown('never seen', result.colds.results), breakdown('the same again', result.agains.results)],
      distributions: await distributions(gateway, bench.quick ? 100 : 400),
    };
  },
};

const figuresOf = ({ p50, p95 }: OverHttp): readonly number[] => [p50, p95];

function latencyRow(
  id: string,
  name: string,
  { results, steady }: { readonly results: readonly OverHttp[]; readonly steady: boolean },
  control: NonNullable<Row['control']>,
): Row {
  const value = median(results.map(({ p50 }) => p50));
  return { id, name, unit: 'ms', value, p95: median(results.map(({ p95 }) => p95)), control, steady };
}

/** The phases as they follow each other. The check runs beside bundling and componentizing, so only what it takes longer is its own. */
function breakdown(name: string, results: readonly OverHttp[]): Breakdown {
  const phase = (of: string): number => median(results.map(({ phases }) => phases[of] ?? 0));
  const bundle = phase('bundle');
  const component = phase('component');
  const phases = [
    { name: 'bundle', ms: bundle },
    { name: 'componentize', ms: component },
    { name: 'check, beyond both', ms: Math.max(0, phase('check') - bundle - component) },
    { name: 'queue', ms: phase('queue') },
    { name: 'run', ms: phase('run') },
    { name: 'HTTP, MCP and messages', ms: phase('outside') },
  ];
  return { name, total: median(results.map(({ p50 }) => p50)), phases };
}

async function distributions({ url }: Gateway, count: number): Promise<Distribution[]> {
  const connection = new RawConnection(url);
  const took = async (program: (run: number) => string): Promise<number[]> => {
    const values: number[] = [];
    for (let run = 0; run < count; run += 1) {
      const began = performance.now();
      await connection.execute({ ...ARGUMENTS, code: program(run) });
      values.push(performance.now() - began);
    }
    return values;
  };
  try {
    const cold = await took((run) => programOf(UNUSED + run));
    const again = await took(() => programOf(UNUSED));
    return [
      { name: 'never seen', percentiles: percentiles(cold) },
      { name: 'the same again', percentiles: percentiles(again) },
    ];
  } finally {
    connection.close();
  }
}
