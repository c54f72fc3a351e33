import type { Bench, Part } from '../part.ts';
import { patience } from '../part.ts';
import type { ProgramComparison } from '../result.ts';
import { openContenders } from './all.ts';
import type { Contender, Program } from './contender.ts';
import { interleave, type Runner } from './interleave.ts';
import { contenderPrograms } from './programs.ts';
import { comparisonSentence } from './sentence.ts';

/** For each program, with all contenders but the slow one. */
const BUDGET_MS = 11_000;
/** A submission of componentize-js takes seconds, so it takes part in these only, and so often. */
const SLOW_PROGRAMS = new Set(['tiny', 'two tool calls', 'library']);
const SLOW_RUNS = { full: 3, quick: 1 };

export const compare: Part = {
  name: 'compare',
  about: 'the same programs in this and in other sandboxes, in turn',
  async measure(bench) {
    const { contenders, absent } = await openContenders(bench);
    try {
      const comparisons: ProgramComparison[] = [];
      for (const program of await contenderPrograms()) comparisons.push(await compareOn(program, contenders, bench));
      return { comparisons, notes: absent.map(({ name, reason }) => `${name} is not in the comparison: ${reason}.`) };
    } finally {
      await Promise.all(contenders.map((contender) => contender.close()));
    }
  },
};

async function compareOn(program: Program, contenders: readonly Contender[], bench: Bench): Promise<ProgramComparison> {
  bench.step(program.name);
  const taking = contenders.filter(({ pace }) => pace === 'usual' || SLOW_PROGRAMS.has(program.name));
  await expectSameResult(program, taking);
  const runners = taking.map((contender): Runner => {
    const most = contender.pace === 'few' ? { most: bench.quick ? SLOW_RUNS.quick : SLOW_RUNS.full } : {};
    return { name: contender.name, run: () => contender.run(program), ...most };
  });
  const samples = await interleave(runners, patience(bench, BUDGET_MS));
  const { name, description } = program;
  const figures = [...samples].map(([of, sample]) => ({ name: of, sample }));
  return { program: name, description, contenders: figures, sentence: comparisonSentence(name, figures) };
}

/** Who gives another result does other work, and is not to be compared with. Also the first, uncounted run of everybody. */
async function expectSameResult(program: Program, contenders: readonly Contender[]): Promise<void> {
  let expected: string | undefined;
  for (const contender of contenders.filter(({ pace }) => pace === 'usual')) {
    const result = JSON.stringify(JSON.parse(await contender.run(program)));
    expected ??= result;
    if (result !== expected) throw new Error(`${contender.name} gives ${result} for "${program.name}", others give ${expected}`);
  }
}
