import type { OpenSandbox } from '../../src/open-sandbox.ts';
import { TWO_CALLS_RUN } from '../measures/control.ts';
import { runProgram } from '../run-program.ts';
import { median, time } from '../measure.ts';
import { measureThroughput, openGateway } from '../over-http.ts';
import type { Bench, Part } from '../part.ts';
import type { Point } from '../result.ts';
import { configOf, openBenchSandbox } from '../sandbox.ts';
import { ends, figure } from './trend.ts';

const AT_ONCE = { full: [1, 2, 4, 8, 16, 32, 64, 128, 256], quick: [1, 8, 64, 256] };
const RUNS = { full: 2_000, quick: 800 };
const REPEATS = { full: 2, quick: 1 };

export const concurrency: Part = {
  name: 'concurrency',
  about: 'curve: runs per second with 1 to 256 at once',
  async measure(bench) {
    const executor = await overExecutor(bench);
    const http = await overHttp(bench);
    const best = (points: readonly Point[]): Point => points.reduce((most, point) => (point.y > most.y ? point : most));
    const describe = (points: readonly Point[], where: string): string =>
      `${where} from ${figure(ends(points).first.y)} to ${figure(best(points).y)} runs per second, best with ${best(points).x} at once, and ${figure(ends(points).last.y)} with ${ends(points).last.x}`;
    return {
      curves: [
        {
          id: 'concurrency',
          title: 'Runs per second, by how many are under way at once',
          x: { label: 'runs at once', unit: '', scale: 'log' },
          y: { label: 'throughput', unit: 'runs/s', scale: 'linear' },
          series: [
            { name: 'through the executor', points: executor },
            { name: 'over HTTP', points: http },
          ],
          sentence: `A repeated program with two tool calls: ${describe(executor, 'through the executor process')}; ${describe(http, 'over HTTP, with the clients on the same machine,')}.`,
        },
      ],
    };
  },
};

async function overExecutor(bench: Bench): Promise<Point[]> {
  await using sandbox = await openBenchSandbox(bench, { config: { check: 'off' } });
  return await along(bench, 'through the executor', (atOnce, runs) => perSecond(sandbox, atOnce, runs));
}

async function overHttp(bench: Bench): Promise<Point[]> {
  await using gateway = await openGateway(configOf(bench));
  return await along(bench, 'over HTTP', (atOnce, runs) => measureThroughput(gateway, atOnce, runs));
}

async function along(bench: Bench, name: string, measure: (atOnce: number, runs: number) => Promise<number>): Promise<Point[]> {
  const mode = bench.quick ? 'quick' : 'full';
  const points: Point[] = [];
  for (const x of AT_ONCE[mode]) {
    bench.step(`${x} at once, ${name}`);
    const rates: number[] = [];
    // A few at once take longer for the same number of runs, and differ less.
    const runs = x < 4 ? RUNS[mode] / 2 : RUNS[mode];
    for (let i = 0; i < REPEATS[mode]; i += 1) rates.push(await measure(x, runs));
    points.push({ x, y: median(rates) });
  }
  return points;
}

async function perSecond(sandbox: OpenSandbox, atOnce: number, runs: number): Promise<number> {
  let left = runs;
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      const { end } = await runProgram(sandbox, TWO_CALLS_RUN);
      if (end.status !== 'completed') throw new Error(`${end.code}: ${end.message}`);
    }
  };
  await runProgram(sandbox, TWO_CALLS_RUN);
  const took = await time(() => Promise.all(Array.from({ length: atOnce }, loop)));
  return runs / (took / 1_000);
}
