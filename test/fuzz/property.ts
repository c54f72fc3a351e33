import { appendFileSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

/** What a run of the suite begins with, always the same. */
const FIXED_SEED = 20_261_121;
/** A counterexample that was found once. It is tried before anything else, always. */
export interface KeptSeed {
  readonly property: string;
  readonly seed: number;
  readonly path: string;
  /** What went wrong, in one line. */
  readonly found: string;
}

/** Looking for a smaller counterexample ends, too. */
const BOUNDS = { interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false };
const SEEDS = new URL('seeds.json', import.meta.url);
const KEPT = JSON.parse(readFileSync(SEEDS, 'utf8')) as readonly KeptSeed[];
/** Set by `main.ts`: for how long each property looks for counterexamples with fresh seeds, and where it writes what it finds. */
const SECONDS = Number(process.env['AMPOULE_FUZZ_SECONDS'] ?? 0);
const FOUND_FILE = process.env['AMPOULE_FUZZ_FOUND'];
const FIRST_SEED = Number(process.env['AMPOULE_FUZZ_SEED'] ?? 0);

/**
 * A test that something holds for all values. In the suite it tries the seeds that failed once, and then `runs` values of a fixed seed; under
 * `npm run fuzz` fresh seeds until its time is up. A failure names the seed and the smallest value that was found.
 */
export function property<T>(name: string, runs: number, values: fc.Arbitrary<T>, holds: (value: T) => void | Promise<void>): void {
  const check = async (parameters: fc.Parameters<[T]>): Promise<string | undefined> => {
    const predicate = fc.asyncProperty(values, async (value) => {
      await holds(value);
    });
    const details = await fc.check(predicate, { ...BOUNDS, ...parameters });
    if (!details.failed) return undefined;
    note(name, details);
    const counterexample = fc.stringify(details.counterexample?.[0]).slice(0, 4_000);
    return `seed ${details.seed}, path ${details.counterexamplePath}: ${messageOf(details)}\nfor ${counterexample}`;
  };
  // oxlint-disable-next-line vitest/valid-title -- the name is the caller's
  test(name, { timeout: 60_000 + SECONDS * 3_000 }, async () => {
    expect((await firstFailure(name, runs, check)) ?? 'holds').toBe('holds');
  });
}

/** What of the parameters of fast-check a trial sets. */
type Trial = Pick<fc.Parameters, 'seed' | 'path' | 'endOnFailure' | 'numRuns'>;

async function firstFailure(
  name: string,
  runs: number,
  check: (parameters: Trial) => Promise<string | undefined>,
): Promise<string | undefined> {
  const kept = KEPT.filter((one) => one.property === name).map(({ seed, path }) => ({ seed, path, endOnFailure: true }));
  for (const parameters of kept) {
    const failure = await check(parameters);
    if (failure !== undefined) return failure;
  }
  if (SECONDS === 0) return check({ seed: FIXED_SEED, numRuns: runs });
  const end = performance.now() + SECONDS * 1_000;
  let seed = FIRST_SEED;
  let failure: string | undefined;
  for (; failure === undefined && performance.now() < end; seed++) failure = await check({ seed, numRuns: runs });
  process.stderr.write(`${name}: seeds ${FIRST_SEED} to ${seed - 1}, ${(seed - FIRST_SEED) * runs} values\n`);
  return failure;
}

/** Leaves what was found for `main.ts`, which keeps it. */
function note<T>(name: string, details: fc.RunDetails<T>): void {
  if (FOUND_FILE === undefined) return;
  const { seed, counterexamplePath } = details;
  const [found = ''] = messageOf(details).split('\n');
  const kept: KeptSeed = { property: name, seed, path: counterexamplePath ?? '', found: found.slice(0, 200) };
  appendFileSync(FOUND_FILE, `${JSON.stringify(kept)}\n`);
}

function messageOf<T>({ errorInstance }: fc.RunDetails<T>): string {
  return errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance);
}
