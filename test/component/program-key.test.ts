import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';

test('the key is pinned: changing it makes every cached program unknown', () => {
  expect(programKey({ script: 'return 2 + 2;', engineHash: 'ab'.repeat(32) })).toBe(
    '883a6a02cb65c75fb2441c74d387d0ded323d1fb815dea771b32793b9f0dbd5c',
  );
});

test('each part changes the key', () => {
  const keys = [
    programKey({ script: 'a', engineHash: 'b' }),
    programKey({ script: 'a ', engineHash: 'b' }),
    programKey({ script: 'a', engineHash: 'c' }),
    programKey({ script: 'b', engineHash: 'a' }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('text moved from one part to the other gives another key', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, at) => {
      const cut = at % text.length;
      const moved = programKey({ engineHash: text.slice(0, cut), script: text.slice(cut) });
      expect(moved).not.toBe(programKey({ engineHash: text, script: '' }));
      expect(moved).toMatch(/^[0-9a-f]{64}$/);
    }),
  );
});
