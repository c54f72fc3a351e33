import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASES } from '../../reliability/disk/databases.ts';
import { EXECUTIONS } from '../../reliability/disk/executions.ts';
import { FILES } from '../../reliability/disk/files.ts';
import type { StoreKind } from '../../reliability/disk/store-under-test.ts';
import type { SmallDiskReport, StoreReport } from './small-disk-report.ts';

/*
 * A process of its own on a small disk. Arguments: what becomes of the disk, "full" or "read-only", and its folder. Writes to every
 * store, lets that happen, and tells what each store did.
 */
const [, , what = '', folder = ''] = process.argv;
const GOOD = 3;
const KINDS = [...DATABASES, ...FILES, EXECUTIONS];

const report: SmallDiskReport = what === 'full' ? await fillDisk() : await lockDisk();
process.stdout.write(JSON.stringify(report));

async function fillDisk(): Promise<SmallDiskReport> {
  const stores = await Promise.all(KINDS.map(async (kind) => ({ kind, ...(await begin(kind)) })));
  const filler = join(folder, 'filler');
  fill(filler);
  const told: Record<string, StoreReport> = {};
  for (const { kind, store, place } of stores) {
    const outcomes = await attempt(() => store.write(GOOD + 1, place));
    told[kind.name] = { write: outcomes, read: await attempt(() => store.read(place)) };
  }
  rmSync(filler);
  for (const { kind, store, place } of stores) {
    const after = await attempt(async () => store.read(await store.write(GOOD + 2, place)));
    await store.close();
    told[kind.name] = { ...(told[kind.name] as StoreReport), after, reopened: await reopen(kind, place) };
  }
  return told;
}

async function lockDisk(): Promise<SmallDiskReport> {
  const places = new Map<StoreKind, string>();
  for (const kind of KINDS) {
    const { store, place } = await begin(kind);
    await store.close();
    places.set(kind, place);
  }
  execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
  const told: Record<string, StoreReport> = {};
  for (const [kind, place] of places) {
    const read = await reopen(kind, place);
    told[kind.name] = { read, write: await attempt(async () => (await kind.open(folder, 'w')).write(GOOD + 1, place)) };
  }
  return told;
}

async function begin(kind: StoreKind) {
  const store = await kind.open(folder, 'w');
  let place = '';
  for (let number = 1; number <= GOOD; number++) place = await store.write(number, place);
  return { store, place };
}

function reopen(kind: StoreKind, place: string): Promise<unknown> {
  return attempt(async () => {
    const store = await kind.open(folder, 'w');
    const found = await store.read(place);
    await store.close();
    return found;
  });
}

/** What it gave, or the code of the error. */
async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    const { code = 'no code' } = error as { code?: string };
    return code;
  }
}

/** To the last byte. */
function fill(file: string): void {
  const fd = openSync(file, 'w');
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(bytes));
    } catch {
      // Smaller pieces may still fit.
    }
  }
  closeSync(fd);
}
