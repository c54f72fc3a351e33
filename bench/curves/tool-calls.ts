import { median } from '../measure.ts';
import { SERVER } from '../over-http-upstream.ts';
import type { Part } from '../part.ts';
import type { Point } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { executeOnce } from './execute.ts';
import { ends, figure, lineThrough } from './trend.ts';

const CALLS = { full: [1, 3, 10, 30, 100, 300, 1_000], quick: [1, 30, 1_000] };
const RUNS = { full: 20, quick: 7 };
const WARM_UP = 3;
const INPUT = { repo: 'a/b' };

export const toolCalls: Part = {
  name: 'tool-calls',
  about: 'curve: 1 to 1,000 tool calls in one run, one after the other and at once',
  async measure(bench) {
    await using sandbox = await openBenchSandbox(bench);
    const mode = bench.quick ? 'quick' : 'full';
    const series: { name: string; points: Point[] }[] = [];
    for (const [name, body] of Object.entries(FORMS)) {
      const points: Point[] = [];
      for (const x of CALLS[mode]) {
        bench.step(`${x} calls, ${name}`);
        const took: number[] = [];
        const request = { code: body(x), input: INPUT };
        for (let i = 0; i < RUNS[mode] + WARM_UP; i += 1) took.push((await executeOnce(sandbox, request)).ms);
        points.push({ x, y: median(took.slice(WARM_UP)) });
      }
      series.push({ name, points });
    }
    const [inTurn = [], atOnce = []] = series.map(({ points }) => points);
    const cost = (points: readonly Point[]): string => `${figure(lineThrough(points).slope * 1_000)} µs`;
    return {
      curves: [
        {
          id: 'tool-calls',
          title: 'One run, by the number of its tool calls',
          x: { label: 'tool calls', unit: '', scale: 'log' },
          y: { label: 'time', unit: 'ms', scale: 'log' },
          series,
          sentence: `Each further tool call costs ${cost(inTurn)} one after the other and ${cost(atOnce)} at once; ${ends(inTurn).last.x.toLocaleString('en')} calls take ${figure(ends(inTurn).last.y)} and ${figure(ends(atOnce).last.y)} ms.`,
        },
      ],
    };
  },
};

const HEAD = `import * as server from "servers/${SERVER}";\nconst ask = () => server.listIssues({ repo: String(input.repo) });\n`;

/** The program for so many calls. */
const FORMS: Readonly<Record<string, (calls: number) => string>> = {
  'one after the other': (calls) => `${HEAD}let n = 0;\nfor (let i = 0; i < ${calls}; i++) n += (await ask()).items.length;\nreturn n;\n`,
  'at once': (calls) =>
    `${HEAD}const all = await Promise.all(Array.from({ length: ${calls} }, ask));\nreturn all.reduce((n, { items }) => n + items.length, 0);\n`,
};
