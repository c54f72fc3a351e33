import { dirname } from 'node:path';
import type { Entry } from './kept-files.ts';

/** The folder of the principal that a result belongs to. */
export function ownerOf({ file }: Pick<Entry, 'file'>): string {
  return dirname(file);
}

/**
 * What has to go for so many bytes to be free: always the oldest result of whoever holds most, so that nobody can push out the results of
 * others.
 * @param entries oldest first
 * @param coming what is about to be kept counts for its owner already
 */
export function entriesOver(
  entries: readonly Entry[],
  bytes: number,
  coming?: { readonly folder: string; readonly bytes: number },
): readonly Entry[] {
  if (bytes <= 0) return [];
  const owners = new Map<string, { held: number; readonly entries: Entry[] }>();
  for (const entry of entries) {
    const owner = owners.get(ownerOf(entry)) ?? { held: 0, entries: [] };
    owner.held += entry.bytes;
    owner.entries.push(entry);
    owners.set(ownerOf(entry), owner);
  }
  const comer = coming && owners.get(coming.folder);
  if (coming && comer) comer.held += coming.bytes;
  const gone: Entry[] = [];
  for (let over = bytes; over > 0;) {
    const entry = oldestOfMost([...owners.values()]);
    if (entry === undefined) break;
    gone.push(entry);
    over -= entry.bytes;
  }
  return gone;
}

function oldestOfMost(owners: readonly { held: number; readonly entries: Entry[] }[]): Entry | undefined {
  let most: { held: number; readonly entries: Entry[] } | undefined;
  for (const owner of owners) if (owner.entries.length > 0 && owner.held > (most?.held ?? -1)) most = owner;
  const entry = most?.entries.shift();
  if (most !== undefined && entry !== undefined) most.held -= entry.bytes;
  return entry;
}
