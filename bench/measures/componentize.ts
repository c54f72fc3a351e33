import { fileURLToPath } from 'node:url';
import { bundleWith } from '../contenders/programs.ts';
import { patience, type Bench, type Part } from '../part.ts';
import type { Row } from '../result.ts';
import { sampleUntilSteady } from '../statistics.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { TWO_CALL_PROGRAM, withControl } from './control.ts';
import { runProgram } from '../run-program.ts';

const BUDGET_MS = 8_000;
/** The target is for half a megabyte: this library is a little more. */
const LIBRARY = '@babel/parser';
const LIBRARY_PROGRAM = `import { parse } from "@babel/parser";
return parse("1 + 1").type;
`;
const LIBRARY_BYTES = 500_000;

export const componentize: Part = {
  name: 'componentize',
  about: 'from a bundle never seen before to its image',
  async measure(bench) {
    const library = await bundleWith([LIBRARY], LIBRARY_PROGRAM, fileURLToPath(new URL('../..', import.meta.url)));
    if (library.length < LIBRARY_BYTES) throw new Error('the library program has become too small for its row');
    const size = `${Math.round(library.length / 1_000)} KB`;
    return {
      rows: [
        await row(bench, 'componentize-small', 'componentize a small bundle', TWO_CALL_PROGRAM.script, 20),
        await row(bench, 'componentize-large', `componentize ${size} of library code`, library, 3),
      ],
    };
  },
};

async function row(bench: Bench, id: string, name: string, script: string, inBatch: number): Promise<Row> {
  bench.step(name);
  await using sandbox = await openBenchSandbox(bench, { config: { check: 'off' } });
  let number = 0;
  const once = async (): Promise<number> => {
    number += 1;
    const { phases } = await runProgram(sandbox, { script: `/* ${number} */ ${script}` });
    return phases.component;
  };
  const batch = async (): Promise<number[]> => {
    const took: number[] = [];
    for (let i = 0; i < inBatch; i += 1) took.push(await once());
    return took;
  };
  await batch();
  const { result, control } = await withControl(() => sampleUntilSteady(batch, patience(bench, BUDGET_MS)));
  return { id, name, unit: 'ms', value: result.p50, p95: result.p95, control, steady: result.steady };
}
