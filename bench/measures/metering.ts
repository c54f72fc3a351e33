import { median } from '../measure.ts';
import { compareFuel, measureMetering } from '../metering.ts';
import { patience, type Bench, type Part } from '../part.ts';
import type { Findings, Row } from '../result.ts';
import { repeatUntilSteady } from '../statistics.ts';

const BUDGET_MS = 30_000;

const percent = (ratio: number): number => (ratio - 1) * 100;

export const metering: Part = {
  name: 'metering',
  about: 'run time with the meter over run time without it, and equal fuel counts',
  async measure(bench) {
    const { results, steady } = await repeatUntilSteady(
      () => measureMetering(bench.engine),
      (report) => [report.geometricMean],
      patience(bench, BUDGET_MS),
    );
    const names = Object.keys(results[0]?.ratios ?? {});
    const each = names.map((name): Row => {
      const value = percent(median(results.map(({ ratios }) => ratios[name] ?? Number.NaN)));
      return { id: 'metering-program', name: `fuel metering, ${name}`, unit: '%', value };
    });
    const value = percent(median(results.map(({ geometricMean }) => geometricMean)));
    const counts = Math.max(...results.map(({ fuelCounts }) => fuelCounts));
    const others = await otherNode(bench);
    return {
      rows: [
        { id: 'metering', name: `fuel metering, geometric mean of ${names.length} programs`, unit: '%', value, steady },
        ...each,
        { id: 'fuel-counts', name: 'different fuel counts of one program', unit: 'count', value: counts },
        ...(others.rows ?? []),
      ],
      notes: others.notes ?? [],
    };
  },
};

async function otherNode(bench: Bench): Promise<Findings> {
  bench.step('under another Node');
  const comparison = await compareFuel(bench.engine);
  if (!comparison) return { notes: ['Fuel is not compared with another version of Node: its package is not installed.'] };
  const { versions, programs, different } = comparison;
  const name = `programs of ${programs} with other fuel on Node ${versions.map((version) => version.replace(/^v(\d+).*/, '$1')).join(' and ')}`;
  return { rows: [{ id: 'fuel-nodes', name, unit: 'count', value: different.length }] };
}
