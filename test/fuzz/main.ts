/**
 * Runs the properties of this folder with fresh random seeds: `npm run fuzz -- --minutes N [--only NAME]`. What fails is added to `seeds.json`,
 * which every run of the suite begins with.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { KeptSeed } from './property.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SEEDS = fileURLToPath(new URL('seeds.json', import.meta.url));
/** Seconds that a property gets in one round, at most. */
const MOST_SECONDS = 60;
const SEEDS_IN_ALL = 2 ** 30;

const { minutes, only } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, only: { type: 'string' } } }).values;
const end = Date.now() + Number(minutes) * 60_000;
if (!(Number(minutes) > 0)) throw new TypeError(`--minutes must be a number above 0, got ${minutes}`);

const folder = mkdtempSync(join(tmpdir(), 'ampoule-fuzz-'));
let failed = false;
try {
  while (Date.now() < end) failed = round(Math.floor(Math.random() * SEEDS_IN_ALL)) || failed;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

/** One round of all properties from a seed on; true when something was found or broke. */
function round(seed: number): boolean {
  const found = join(folder, `${seed}.jsonl`);
  // Files run side by side, and the properties of a file one after the other: about eight rounds of seconds to a round.
  const seconds = Math.max(1, Math.min(MOST_SECONDS, Math.round((end - Date.now()) / 8_000)));
  process.stdout.write(`round of ${seconds} s for each property, from seed ${seed} on\n`);
  const names = only === undefined ? [] : ['--testNamePattern', only];
  const { status } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'suite', ...names, 'test/fuzz'],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, AMPOULE_FUZZ_SECONDS: String(seconds), AMPOULE_FUZZ_SEED: String(seed), AMPOULE_FUZZ_FOUND: found },
    },
  );
  if (existsSync(found)) keep(readFileSync(found, 'utf8'));
  return status !== 0;
}

/** Adds what was found to the seeds that are always tried. */
function keep(lines: string): void {
  const kept = JSON.parse(readFileSync(SEEDS, 'utf8')) as KeptSeed[];
  const isKnown = ({ property, seed, path }: KeptSeed): boolean =>
    kept.some((one) => one.property === property && one.seed === seed && one.path === path);
  for (const line of lines.trim().split('\n')) {
    const seed = JSON.parse(line) as KeptSeed;
    process.stdout.write(`found: ${seed.property}, seed ${seed.seed}, path ${seed.path}: ${seed.found}\n`);
    if (!isKnown(seed)) kept.push(seed);
  }
  writeFileSync(SEEDS, `${JSON.stringify(kept, undefined, 2)}\n`);
}
