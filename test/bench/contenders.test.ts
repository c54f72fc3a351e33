import { expect, test } from 'vitest';
import type { Contender, Program } from '../../bench/contenders/contender.ts';
import { childProcess } from '../../bench/contenders/child-process.ts';
import { interleave } from '../../bench/contenders/interleave.ts';
import { isolatedVm } from '../../bench/contenders/isolated-vm.ts';
import { freshModule, freshRuntime } from '../../bench/contenders/quickjs-emscripten.ts';
import { comparisonSentence, summarySentence } from '../../bench/contenders/sentence.ts';
import { workerThread } from '../../bench/contenders/worker-thread.ts';
import { describe as describeValues } from '../../bench/statistics.ts';

const program: Program = {
  name: 'calls',
  description: 'two calls, one after the other and at once',
  script: `return (async () => {
    const first = await ampoule.callTool("s", "t", {});
    const more = await Promise.all([ampoule.callTool("s", "t", {}), ampoule.callTool("s", "t", {})]);
    return { sum: input + first.n + more[0].n + more[1].n };
  })();\n//# sourceURL=program.js\n`,
  input: '1',
  answer: '{"n":20}',
};

test.each([freshRuntime, freshModule, isolatedVm, workerThread, childProcess])(
  '%o runs the program to the same result, twice',
  async (open) => {
    const contender = await open();
    if (!('run' in contender)) return;
    expect(await contender.run(program)).toBe('{"sum":61}');
    expect(await contender.run(program)).toBe('{"sum":61}');
    await contender.close();
  },
);

test.each([freshRuntime, workerThread, childProcess])('%o fails when the program throws', async (open) => {
  const contender: Contender = await open();
  await expect(contender.run({ ...program, script: 'return (async () => { throw new Error("no"); })();' })).rejects.toThrow('no');
  await contender.close();
});

test('runners are timed in turn, and one that may run three times runs three times', async () => {
  const order: string[] = [];
  const runner = (name: string, most?: number): Parameters<typeof interleave>[0][number] => ({
    name,
    run: () => Promise.resolve(void order.push(name)),
    ...(most === undefined ? {} : { most }),
  });
  const samples = await interleave([runner('a'), runner('b'), runner('slow', 3)], { bound: 0.05, budgetMs: 100 });
  expect(order.slice(0, 2)).toEqual(['a', 'b']);
  expect(order.filter((name) => name === 'slow')).toHaveLength(3);
  expect(order.indexOf('b', 2)).toBeLessThan(order.lastIndexOf('a'));
  expect(samples.get('slow')?.count).toBe(3);
});

test('the sentence says plainly who is faster', () => {
  const of = (name: string, ms: number): { name: string; sample: ReturnType<typeof describeValues> } => ({
    name,
    sample: describeValues([ms]),
  });
  const ours = [of('ampoule (seen before)', 10), of('ampoule (never seen)', 20)];
  expect(comparisonSentence('sort', [...ours, of('one', 2), of('two', 10.5), of('three', 15), of('four', 400)])).toBe(
    'Sort: with 10 ms for ours, faster than ours is one (5.0 times); about as fast is two; slower are three (1.5 times) and four (40 times); never seen before it takes 20 ms, longer than 3 of the others.',
  );
  expect(comparisonSentence('sort', [...ours, of('one', 100)])).toBe(
    'Sort: with 10 ms for ours, nobody is faster; slower is one (10 times); never seen before it takes 20 ms.',
  );
});

test('the summary counts in how many programs each of the others is faster', () => {
  const of = (name: string, ms: number): { name: string; sample: ReturnType<typeof describeValues> } => ({
    name,
    sample: describeValues([ms]),
  });
  const compared = (ours: number, one: number, two: number): Parameters<typeof summarySentence>[0][number] => ({
    program: 'p',
    description: '',
    sentence: '',
    contenders: [of('ampoule (seen before)', ours), of('ampoule on another', 0.1), of('one', one), of('two', two)],
  });
  expect(summarySentence([compared(10, 5, 5), compared(10, 50, 5)])).toBe(
    'Faster than ours with a program seen before, of 2 programs: two in 2 and one in 1.',
  );
  expect(summarySentence([compared(1, 5, 5)])).toBe('Faster than ours with a program seen before, of 1 programs: nobody in any.');
});
