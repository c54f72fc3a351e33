import { median, percentile } from './measure.ts';

/** What was measured of one thing. Units are the caller's. */
export interface Sample {
  readonly p50: number;
  readonly p95: number;
  /** Half the distance between the quartiles over the median: 0.1 means that half of all values lie within about 10 % of it. */
  readonly spread: number;
  readonly count: number;
  /** False when the time was used up before the median stood still. */
  readonly steady: boolean;
}

/** How long to go on measuring. */
export interface Patience {
  /** The median's relative uncertainty to get below. */
  readonly bound: number;
  readonly budgetMs: number;
}

/** Fewer batches say nothing about how much they differ. */
const LEAST_BATCHES = 5;
/** However slow a batch is. */
const FEWEST_BATCHES = 3;
/** The uncertainty that two runs of the suite need to differ by less than 20 % nearly always. */
export const BOUND = 0.05;

/** Describes values, in any order. */
export function describe(values: readonly number[], steady = true): Sample {
  const p50 = median(values);
  const spread = (percentile(values, 0.75) - percentile(values, 0.25)) / 2 / Math.max(p50, Number.EPSILON);
  return { p50, p95: percentile(values, 0.95), spread, count: values.length, steady };
}

/**
 * How uncertain the median of these batch medians is, relative to it: 0.93 times the distance between their quartiles over the square
 * root of their number, which is the standard error of a median where they scatter normally. Infinite for fewer batches than five.
 */
export function uncertainty(medians: readonly number[]): number {
  if (medians.length < LEAST_BATCHES) return Number.POSITIVE_INFINITY;
  const middle = median(medians);
  const quartiles = percentile(medians, 0.75) - percentile(medians, 0.25);
  return (0.93 * quartiles) / Math.sqrt(medians.length) / Math.max(Math.abs(middle), Number.EPSILON);
}

/** Repeats a batch of measurements until the medians of the batches agree, or the time is used up. At least one batch. */
export async function sampleUntilSteady(batch: () => Promise<readonly number[]>, { bound, budgetMs }: Patience): Promise<Sample> {
  const values: number[] = [];
  const medians: number[] = [];
  const end = performance.now() + budgetMs;
  do {
    const measured = await batch();
    values.push(...measured);
    medians.push(median(measured));
  } while (medians.length < FEWEST_BATCHES || (uncertainty(medians) > bound && performance.now() < end));
  return describe(values, uncertainty(medians) <= bound);
}

/**
 * Repeats a measurement that gives several figures until each of them stands still, or the time is used up: the median of each.
 * @param figures the numbers of one result that have to agree between repetitions.
 */
export async function repeatUntilSteady<T>(
  measure: () => Promise<T>,
  figures: (result: T) => readonly number[],
  { bound, budgetMs }: Patience,
): Promise<{ readonly results: readonly T[]; readonly steady: boolean }> {
  const results: T[] = [];
  const end = performance.now() + budgetMs;
  const worst = (): number => {
    const rows = results.map(figures);
    const count = rows[0]?.length ?? 0;
    return Math.max(0, ...Array.from({ length: count }, (_, at) => uncertainty(rows.map((row) => row[at] ?? 0))));
  };
  do {
    results.push(await measure());
  } while (worst() > bound && performance.now() < end);
  return { results, steady: worst() <= bound };
}

/** Percentiles from 0 to 100 in steps of one, for drawing a distribution. */
export function percentiles(values: readonly number[]): number[] {
  return Array.from({ length: 101 }, (_, part) => percentile(values, part / 100));
}
