import { median } from '../measure.ts';
import { describe, uncertainty, type Patience, type Sample } from '../statistics.ts';

/** Something that can be timed again and again. */
export interface Runner {
  readonly name: string;
  run(): Promise<unknown>;
  /** At most so many runs, for what takes seconds. */
  readonly most?: number;
}

/** A batch takes about this long: what is fast is timed several times in a row, as it comes in a busy server. */
const BATCH_MS = 20;
const MOST_IN_BATCH = 40;
/** However slow a runner is. */
const FEWEST_RUNS = 5;

interface Lane {
  readonly runner: Runner;
  readonly values: number[];
  readonly medians: number[];
  /** Milliseconds so far. */
  used: number;
}

/**
 * Times all runners in turn, a short batch of each, in another order each round: whatever else the machine does meets all of them. Each
 * goes on until its median stands still or its share of the time is used up. A first run is not counted.
 */
export async function interleave(runners: readonly Runner[], { bound, budgetMs }: Patience): Promise<ReadonlyMap<string, Sample>> {
  const lanes: Lane[] = runners.map((runner) => ({ runner, values: [], medians: [], used: 0 }));
  const share = budgetMs / runners.length;
  for (const { runner } of lanes) if (runner.most === undefined) await runner.run();
  const open = ({ runner, values, medians, used }: Lane): boolean => {
    if (values.length < Math.min(FEWEST_RUNS, runner.most ?? FEWEST_RUNS)) return true;
    return values.length < (runner.most ?? Number.POSITIVE_INFINITY) && used < share && uncertainty(medians) > bound / 2;
  };
  for (let round = 0; lanes.some(open); round += 1) {
    for (const lane of inTurn(lanes, round)) if (open(lane)) await batch(lane);
  }
  return new Map(lanes.map(({ runner, values, medians }) => [runner.name, describe(values, uncertainty(medians) <= bound)]));
}

function inTurn(lanes: readonly Lane[], round: number): Lane[] {
  const first = round % lanes.length;
  const order = [...lanes.slice(first), ...lanes.slice(0, first)];
  return round % 2 === 0 ? order : order.toReversed();
}

async function batch(lane: Lane): Promise<void> {
  const typical = lane.values.length === 0 ? BATCH_MS : median(lane.values);
  const left = (lane.runner.most ?? Number.POSITIVE_INFINITY) - lane.values.length;
  const count = Math.max(1, Math.min(MOST_IN_BATCH, left, Math.floor(BATCH_MS / typical)));
  const took: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const began = performance.now();
    await lane.runner.run();
    took.push(performance.now() - began);
  }
  lane.values.push(...took);
  lane.medians.push(median(took));
  lane.used += took.reduce((sum, ms) => sum + ms, 0);
}
