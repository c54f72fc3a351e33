import { childProcess } from '../contenders/child-process.ts';
import type { Program } from '../contenders/contender.ts';
import { median, time } from '../measure.ts';
import { script, TWO_CALLS } from '../programs.ts';
import type { Row } from '../result.ts';

/** The program of most rows, for controls. */
export const TWO_CALL_PROGRAM: Program = {
  name: 'two tool calls',
  description: 'calls two tools at once',
  script: script(TWO_CALLS),
  input: '1',
  answer: '{"items":[1,2,3]}',
};

/** The same for our own executor. */
export const TWO_CALLS_RUN = { script: TWO_CALL_PROGRAM.script };

const STARTS = 4;

/**
 * Measures the machine's own speed around some work: what a Node process for the same program takes, in milliseconds, before and after it.
 */
export async function withControl<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly control: NonNullable<Row['control']> }> {
  const node = await childProcess();
  const took: number[] = [];
  const sample = async (): Promise<void> => {
    for (let i = 0; i < STARTS; i += 1) took.push(await time(() => node.run(TWO_CALL_PROGRAM)));
  };
  await node.run(TWO_CALL_PROGRAM);
  await sample();
  const result = await work();
  await sample();
  return { result, control: { name: 'a fresh Node process', value: median(took) } };
}

/** The same control as a rate: Node processes one after the other, in runs per second. */
export function rateOf({ value }: NonNullable<Row['control']>): NonNullable<Row['control']> {
  return { name: 'Node processes one by one', value: 1_000 / value };
}
