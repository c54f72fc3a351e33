import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DATABASES } from '../../reliability/disk/databases.ts';
import { FILES } from '../../reliability/disk/files.ts';
import { killWriters } from '../../reliability/disk/kill-writers.ts';
import { randomFrom } from '../../reliability/random.ts';

/** `npm run chaos` does it 200 times. */
const KILLS = 40;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ampoule-killed-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('processes killed in the middle of their writes lose nothing that they have acknowledged, and leave nothing damaged or half-written', async () => {
  const seed = String(Math.random());
  const { faults, acknowledged } = await killWriters(folder, KILLS, 4, randomFrom(seed));
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  // Each store was written to between the kills.
  expect(Object.keys(acknowledged).sort()).toEqual([...DATABASES, ...FILES].map(({ name }) => name).sort());
}, 120_000);
