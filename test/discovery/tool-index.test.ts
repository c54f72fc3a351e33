import { expect, test } from 'vitest';
import { buildToolIndex } from '../../src/discovery/tool-index.ts';
import { sourceOf, tool } from './fixture.ts';

const THINGS = ['invoice', 'ticket', 'branch', 'message', 'customer', 'shipment', 'dashboard', 'contract', 'vehicle', 'course'];
const VERBS = ['list', 'get', 'create', 'update', 'delete', 'search', 'assign', 'export', 'archive', 'count'];
const WORDS = 'Works on records of the kind that the name says, newest first, in pages, with filters that keep the answer small.';

/** A thousand tools of ten servers. */
const catalog = Object.fromEntries(
  THINGS.map((thing) => [
    `${thing}s`,
    VERBS.flatMap((verb) =>
      Array.from({ length: 10 }, (_, at) => tool(`${verb}_${thing}_${at}`, `${verb} ${thing} ${at}. ${WORDS}`, ['id', 'filter', thing])),
    ),
  ]),
);

/** The longest time in which nothing else had its turn, in milliseconds. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, isOver] = [0, performance.now(), false];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isOver = true;
  return Math.max(longest, performance.now() - last);
}

test('at a thousand tools the index is built in slices, and every search is quick', async () => {
  const source = { ...(await sourceOf(catalog)), skills: [] };
  const index = await buildToolIndex(source);
  const blocks: number[] = [];
  for (let i = 0; i < 5; i++) blocks.push(await longestBlock(() => buildToolIndex(source)));
  const queries = [
    'list invoices',
    'delete',
    'serach custmer',
    'x'.repeat(1_000),
    'list get create update delete records of the kind newest first in pages',
    Array.from({ length: 200 }, (_, at) => `wrod${at}`).join(' '),
  ];
  const times = queries.map((query) => {
    const tries = Array.from({ length: 5 }, () => {
      const began = performance.now();
      index.find(query, () => true);
      index.near(query);
      return performance.now() - began;
    });
    return Math.min(...tries);
  });
  // Measured are 4 ms and 10 ms on an idle machine; other tests run beside this one, so the best of some tries counts.
  expect(Math.min(...blocks)).toBeLessThan(25);
  expect(Math.max(...times)).toBeLessThan(50);
});
