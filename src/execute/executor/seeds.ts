import { randomFillSync } from 'node:crypto';

const SEED_BYTES = 32;
/** Asking the system costs more than everything else about a seed, so it is asked for many at once. */
const SEEDS_AT_ONCE = 128;

const random = Buffer.alloc(SEED_BYTES * SEEDS_AT_ONCE);
let next = random.length;

/** 64 hexadecimal digits that nobody can guess. */
export function freshSeed(): string {
  if (next === random.length) {
    randomFillSync(random);
    next = 0;
  }
  const seed = random.toString('hex', next, next + SEED_BYTES);
  next += SEED_BYTES;
  return seed;
}
