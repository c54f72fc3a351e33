import { measureExecutor } from '../executor.ts';
import { median } from '../measure.ts';
import { patience, type Part } from '../part.ts';
import { repeatUntilSteady } from '../statistics.ts';

const BUDGET_MS = 10_000;

export const executor: Part = {
  name: 'executor',
  about: 'a repeated program through the executor process, seen from the gateway',
  async measure(bench) {
    const { results, steady } = await repeatUntilSteady(
      () => measureExecutor(bench.engine),
      ({ repeated, perSecond }) => [repeated.p50, perSecond],
      patience(bench, BUDGET_MS),
    );
    const value = median(results.map(({ repeated }) => repeated.p50));
    const p95 = median(results.map(({ repeated }) => repeated.p95));
    const rate = median(results.map(({ perSecond }) => perSecond));
    return {
      rows: [
        { id: 'executor-again', name: 'repeated program through the executor process', unit: 'ms', value, p95, steady },
        { id: 'executor-rate', name: 'runs per second through the executor process', unit: 'runs/s', value: rate, steady },
      ],
    };
  },
};
