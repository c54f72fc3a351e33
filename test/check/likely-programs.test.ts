import { expect, test } from 'vitest';
import { likelyPrograms } from '../../src/check/likely-programs.ts';
import { catalog, server, tool } from '../wrappers/catalogs.ts';
import { openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const catalogOf = (count: number) => catalog(...Array.from({ length: count }, (_, at) => server(`s${at}`, [tool('a'), tool('b')])));

test('likely programs import nothing, ampoule, each server and each pair, and are few', async () => {
  expect(likelyPrograms(await wrappersOf(catalogOf(0)))).toHaveLength(2);
  const two = likelyPrograms(await wrappersOf(catalogOf(2)));
  expect(two).toHaveLength(2 + 2 + 2 + 1 + 1);
  expect(two).toContain('import "servers/s0";\nimport "servers/s1";\n');
  expect(likelyPrograms(await wrappersOf(catalogOf(100)))).toHaveLength(12);
});

test('a warm checker has nothing to say about them, and newer wrappers end the warming for older ones', async () => {
  await using checker = openChecker();
  const [older, newer] = [await wrappersOf(catalogOf(6)), await wrappersOf(catalogOf(2))];
  const first = checker.warm(older);
  await checker.warm(newer);
  await first;
  for (const code of likelyPrograms(newer)) expect(shown(await checker.check({ code, wrappers: newer }, SIGNAL))).toEqual([]);
  await checker.close();
  await checker.warm(newer);
});
