import { median } from '../measure.ts';
import { inProcessUpstreams, programOf } from '../over-http-upstream.ts';
import type { Bench, Part } from '../part.ts';
import type { Point } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { executeOnce } from './execute.ts';
import { ends, figure, growth } from './trend.ts';

const TOOLS = { full: [10, 30, 100, 300, 1_000, 2_000], quick: [10, 100, 1_000] };
const RUNS = { full: 60, quick: 20 };
const WARM_UP = 10;
/** The upstream server of the benchmark has these besides the others that it is asked for. */
const OWN_TOOLS = 2;
const INPUT = { repo: 'a/b' };

export const catalogSize: Part = {
  name: 'catalog-size',
  about: 'curve: never-seen programs with 10 to 2,000 tools in the catalog',
  async measure(bench) {
    const whole: Point[] = [];
    const check: Point[] = [];
    for (const x of TOOLS[bench.quick ? 'quick' : 'full']) {
      bench.step(`${x} tools`);
      const { ms, checkMs } = await measureCatalog(bench, x);
      whole.push({ x, y: ms });
      check.push({ x, y: checkMs });
    }
    const { first, last } = ends(whole);
    const sentence = `From ${first.x} to ${last.x.toLocaleString('en')} tools the time of a never-seen program grows ${growth(whole)}, from ${figure(first.y)} to ${figure(last.y)} ms; the check takes ${figure(ends(check).first.y)} ms of the first and ${figure(ends(check).last.y)} ms of the last.`;
    return {
      curves: [
        {
          id: 'catalog-size',
          title: 'A program never seen before, by the number of tools in the catalog',
          x: { label: 'tools in the catalog', unit: '', scale: 'log' },
          y: { label: 'time', unit: 'ms', scale: 'linear' },
          series: [
            { name: 'whole', points: whole },
            { name: 'check', points: check },
          ],
          sentence,
        },
      ],
    };
  },
};

async function measureCatalog(bench: Bench, tools: number): Promise<{ ms: number; checkMs: number }> {
  await using sandbox = await openBenchSandbox(bench, { upstreams: inProcessUpstreams(tools - OWN_TOOLS) });
  const runs = [];
  for (let i = 0; i < RUNS[bench.quick ? 'quick' : 'full'] + WARM_UP; i += 1) {
    runs.push(await executeOnce(sandbox, { code: programOf(i), input: INPUT }));
  }
  const warm = runs.slice(WARM_UP);
  return { ms: median(warm.map(({ ms }) => ms)), checkMs: median(warm.map(({ phases }) => phases['check'] ?? 0)) };
}
