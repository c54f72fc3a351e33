import { measureCheck, type CheckMeasure } from '../check.ts';
import { median } from '../measure.ts';
import { patience, type Part } from '../part.ts';
import { repeatUntilSteady } from '../statistics.ts';
import { withControl } from './control.ts';

const BUDGET_MS = 20_000;

export const typeCheck: Part = {
  name: 'check',
  about: 'the type check alone, warm, with small and large catalogs',
  async measure(bench) {
    const { result, control } = await withControl(() =>
      repeatUntilSteady(
        () => measureCheck(bench.quick ? 60 : 150),
        (measures) => measures.map(({ p50 }) => p50),
        patience(bench, BUDGET_MS),
      ),
    );
    const [first = []] = result.results;
    return {
      rows: first.map(({ tools, imports }, at) => {
        const of = (figure: (measure: CheckMeasure) => number): number =>
          median(result.results.flatMap((measures) => measures[at] ?? []).map((measure) => figure(measure)));
        return {
          id: `check-${tools}`,
          name: `type check, ${tools.toLocaleString('en')} tools, ${imports === 'same' ? 'same server' : 'another server each time'}`,
          unit: 'ms' as const,
          value: of(({ p50 }) => p50),
          p95: of(({ p95 }) => p95),
          control,
          steady: result.steady,
        };
      }),
    };
  },
};
