import { runProgram } from '../run-program.ts';
import { patience, type Part } from '../part.ts';
import { script } from '../programs.ts';
import type { Point } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { sampleUntilSteady } from '../statistics.ts';
import { ends, figure, growth } from './trend.ts';

const SIZES_KB = { full: [5, 50, 500, 2_000, 8_000], quick: [5, 500, 2_000] };
const BUDGET_MS = 3_000;
const FILTER = script(
  'const { rows } = await ampoule.callTool("s", "list", {}); return rows.filter((row) => row.score % 100 === 7).map((row) => row.id).length;',
);

export const answerSize: Part = {
  name: 'answer-size',
  about: 'curve: JSON answers of a tool from 5 KB to 8 MB, filtered in the run',
  async measure(bench) {
    await using sandbox = await openBenchSandbox(bench, { config: { check: 'off' } });
    const points: Point[] = [];
    for (const x of SIZES_KB[bench.quick ? 'quick' : 'full']) {
      bench.step(`${x} KB`);
      const value = answerOf(x * 1_000);
      const once = async (): Promise<number[]> => {
        const began = performance.now();
        const { end } = await runProgram(sandbox, { script: FILTER, onCall: () => Promise.resolve({ ok: true, value }) });
        if (end.status !== 'completed') throw new Error(`${end.code}: ${end.message}`);
        return [performance.now() - began];
      };
      await once();
      points.push({ x, y: (await sampleUntilSteady(once, patience(bench, BUDGET_MS))).p50 });
    }
    const { first, last } = ends(points);
    return {
      curves: [
        {
          id: 'answer-size',
          title: 'A run that filters the JSON of a tool, by the size of the answer',
          x: { label: 'answer', unit: 'KB', scale: 'log' },
          y: { label: 'time', unit: 'ms', scale: 'log' },
          series: [{ name: 'one run', points }],
          sentence: `From ${first.x} to ${last.x.toLocaleString('en')} KB the time grows ${growth(points)}, from ${figure(first.y)} to ${figure(last.y)} ms: ${figure(((last.y - first.y) / (last.x - first.x)) * 1_000)} ms for each MB.`,
        },
      ],
    };
  },
};

function answerOf(bytes: number): string {
  const row = (id: number): object => ({
    id,
    title: `a title of some length with its number ${id}`,
    score: (id * 7919) % 1_000,
    user: { login: 'ada' },
  });
  const each = JSON.stringify(row(1_000)).length + 1;
  return JSON.stringify({ rows: Array.from({ length: Math.ceil(bytes / each) }, (_, id) => row(id)) });
}
