/** What was measured at one pause of the load. */
export interface Sample {
  /** Runs so far. */
  readonly runs: number;
  readonly gatewayBytes: number;
  readonly executorBytes: number;
  /** JavaScript heap of the gateway after a collection. */
  readonly heapBytes: number;
  readonly descriptors: number;
  readonly timers: number;
  readonly temporaryFiles: number;
  /** All of the cache folder but the store of executions. */
  readonly cacheBytes: number;
  /** The store of executions with its log. */
  readonly executionBytes: number;
}

export type Figure = Exclude<keyof Sample, 'runs'>;

/** How a figure ends up. */
export interface Judged {
  readonly figure: string;
  readonly first: number;
  readonly half: number;
  readonly last: number;
  /** By the line of least squares through the second half: from its beginning to its end. */
  readonly growth: number;
  readonly bound: number;
  readonly isFlat: boolean;
}

const MiB = 1024 * 1024;
/** Of the mean of the second half: less is what a collector leaves one time and not another. */
const PART = 0.05;
const FLOORS: Readonly<Record<Figure, readonly [name: string, floor: number]>> = {
  gatewayBytes: ['resident memory of the gateway', 24 * MiB],
  executorBytes: ['resident memory of the executor', 32 * MiB],
  heapBytes: ['heap of the gateway', 4 * MiB],
  descriptors: ['descriptors', 3],
  timers: ['timers', 2],
  temporaryFiles: ['temporary files', 0],
  // Each of four databases has up to four megabytes beside it that are not in it yet.
  cacheBytes: ['cache folder', 12 * MiB],
  // Its log is written back at eight megabytes, and may be longer by what comes meanwhile.
  executionBytes: ['store of executions', 8 * MiB],
};

/**
 * Whether each figure has stayed where it was over the second half of the load.
 * @param slack - how many times the bound: a short load is still filling caches when its second half begins
 */
export function judge(samples: readonly Sample[], slack = 1): Judged[] {
  const second = samples.slice(Math.floor(samples.length / 2));
  return (Object.keys(FLOORS) as Figure[]).map((key) => {
    const [figure, floor] = FLOORS[key];
    const values = second.map((sample) => sample[key]);
    const growth = slope(values) * (values.length - 1);
    const bound = Math.max(floor, mean(values) * PART) * slack;
    return {
      figure,
      first: samples[0]?.[key] ?? 0,
      half: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      growth,
      bound,
      isFlat: growth <= bound,
    };
  });
}

/** Of the line of least squares, for each step. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const average = mean(values);
  let [above, below] = [0, 0];
  for (const [at, value] of values.entries()) {
    above += (at - middle) * (value - average);
    below += (at - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** The 95th percentile of each fifth of the latencies, in milliseconds. */
export function fifths(latencies: readonly number[]): number[] {
  const size = Math.floor(latencies.length / 5);
  return Array.from({ length: 5 }, (_, n) => {
    const sorted = latencies.slice(n * size, (n + 1) * size).toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0;
  });
}
