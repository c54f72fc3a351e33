import { median } from '../measure.ts';
import type { Part } from '../part.ts';
import type { Curve, Point } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { executeOnce } from './execute.ts';
import { ends, figure, growth } from './trend.ts';

const SIZES_KB = { full: [1, 2, 5, 10, 20, 50, 100, 200], quick: [1, 10, 100] };
const RUNS = { full: 15, quick: 7 };
const WARM_UP = 5;
const PHASES = ['check', 'bundle', 'component'] as const;

export const programSize: Part = {
  name: 'program-size',
  about: 'curve: never-seen programs from 1 KB to 200 KB of source',
  async measure(bench) {
    await using sandbox = await openBenchSandbox(bench);
    const mode = bench.quick ? 'quick' : 'full';
    const total: Point[] = [];
    const phases = new Map<string, Point[]>(PHASES.map((name) => [name, []]));
    for (const x of SIZES_KB[mode]) {
      bench.step(`${x} KB`);
      const runs = [];
      for (let i = 0; i < RUNS[mode] + WARM_UP; i += 1) runs.push(await executeOnce(sandbox, { code: programOfSize(x * 1_000, i) }));
      const warm = runs.slice(WARM_UP);
      total.push({ x, y: median(warm.map(({ ms }) => ms)) });
      for (const [name, points] of phases) points.push({ x, y: median(warm.map((run) => run.phases[name] ?? 0)) });
    }
    return { curves: [curve(total, phases)] };
  },
};

function curve(total: Point[], phases: ReadonlyMap<string, Point[]>): Curve {
  const { first, last } = ends(total);
  const largest = [...phases].map(([name, points]) => ({ name, y: ends(points).last.y })).sort((a, b) => b.y - a.y)[0];
  return {
    id: 'program-size',
    title: 'A program never seen before, by the size of its source',
    x: { label: 'source', unit: 'KB', scale: 'log' },
    y: { label: 'time', unit: 'ms', scale: 'log' },
    series: [{ name: 'whole', points: total }, ...[...phases].map(([name, points]) => ({ name, points }))],
    sentence: `From ${first.x} to ${last.x} KB of source the time grows ${growth(total)}, from ${figure(first.y)} to ${figure(last.y)} ms; of that the ${largest?.name ?? ''} takes most, ${figure(largest?.y ?? 0)} ms.`,
  };
}

/** Functions as agents write them, until there is enough; each number is another program. */
function programOfSize(bytes: number, number: number): string {
  const parts: string[] = [`const seed = ${number};`];
  for (let size = 0, at = 0; size < bytes; at += 1) {
    const text = `
function step${at}(rows: readonly { id: number; title: string }[]): { id: number; title: string }[] {
  const found = rows.filter((row) => row.id % ${at + 2} === 0 && row.title.startsWith("item"));
  return found.map((row) => ({ id: row.id + seed, title: row.title.toUpperCase() }));
}`;
    parts.push(text);
    size += text.length;
  }
  return `${parts.join('\n')}\nreturn step0([{ id: 2, title: "item" }]).length;\n`;
}
