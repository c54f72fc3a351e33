import { describe, expect, test } from 'vitest';
import { Fingerprints } from '../../src/policy/fingerprints.ts';
import { mixed, visitWindows } from '../../src/policy/rolling-hash.ts';
import { textSlices } from '../../src/policy/text-slices.ts';

const memory = (maxSlots = 1 << 26): { slots: number; maxSlots: number } => ({ slots: 0, maxSlots });

describe('a set of fingerprints', () => {
  test('has what was added and nothing else, also after it has grown', () => {
    const set = new Fingerprints(memory());
    for (let n = 0; n < 50_000; n++) set.add(mixed(n), mixed(n * 31 + 7));
    let missing = 0;
    let wrong = 0;
    for (let n = 0; n < 50_000; n++) {
      if (!set.has(mixed(n), mixed(n * 31 + 7))) missing++;
      if (set.has(mixed(n), mixed(n * 31 + 8))) wrong++;
    }
    expect({ missing, wrong }).toEqual({ missing: 0, wrong: 0 });
  });

  test('is full at three million, and says so from then on', () => {
    const set = new Fingerprints(memory());
    const most = 4 * 1024 * 1024 * 0.75;
    for (let n = 0; n < most; n++) set.add(mixed(n), mixed(n + 1));
    expect(set.isFull).toBe(false);
    expect(set.add(mixed(most), 1)).toBe(true);
    expect(set.isFull).toBe(true);
    expect(set.has(mixed(5), mixed(6))).toBe(true);
  });

  test('shares its memory with others, and gives it back', () => {
    const shared = memory(4_096);
    const [one, two] = [new Fingerprints(shared), new Fingerprints(shared)];
    for (let n = 0; n < 1_500; n++) one.add(mixed(n), 1);
    expect(shared.slots).toBe(2_048);
    for (let n = 0; n < 1_500; n++) two.add(mixed(n), 1);
    expect([one.isFull, two.isFull]).toEqual([false, false]);
    for (let n = 0; n < 1_500; n++) two.add(mixed(n + 5_000), 1);
    expect([one.isFull, two.isFull]).toEqual([false, true]);
    one.release();
    two.release();
    expect(shared.slots).toBe(0);
  });
});

test('the hashes of equal windows are equal wherever they stand, and every step-th is visited', () => {
  const hashesOf = (text: string, size: number, step?: number): string[] => {
    const found: string[] = [];
    visitWindows(text, size, (one, two, at) => (found.push(`${at} ${one} ${two}`), false), step);
    return found;
  };
  const [first = ''] = hashesOf('needle', 6);
  expect(hashesOf('xxneedlexx', 6)[2]?.split(' ').slice(1)).toEqual(first.split(' ').slice(1));
  expect(hashesOf('abcdefghij', 4)).toHaveLength(7);
  expect(hashesOf('abcdefghij', 4, 3).map((one) => one.split(' ')[0])).toEqual(['0', '3', '6']);
  expect(hashesOf('abc', 4)).toEqual([]);
});

test('slices of a long text hold everything that is no longer than their overlap', () => {
  const text = Array.from({ length: 40_000 }, (_, n) => n.toString(36).padStart(5, '-')).join('');
  const slices = [...textSlices(text, 2_048)];
  expect(slices.length).toBeGreaterThan(3);
  for (let at = 0; at + 2_048 < text.length; at += 997) {
    const piece = text.slice(at, at + 2_048);
    expect(slices.some((slice) => slice.includes(piece))).toBe(true);
  }
  expect([...textSlices('short', 100)]).toEqual(['short']);
  expect([...textSlices('', 100)]).toEqual(['']);
});
