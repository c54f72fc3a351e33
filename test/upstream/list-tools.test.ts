import { expect, test } from 'vitest';
import { listTools } from '../../src/upstream/list-tools.ts';

const tools = (from: number, to: number): object[] => Array.from({ length: to - from }, (_, n) => ({ name: `t${from + n}` }));

test('as many tools as allowed are listed, and one more is left out', async () => {
  const exact = await listTools(() => Promise.resolve({ tools: tools(0, 5_000) }));
  expect([exact.tools.size, exact.warnings]).toEqual([5_000, []]);
  const over = await listTools(() => Promise.resolve({ tools: tools(0, 5_001) }));
  expect([over.tools.size, over.warnings]).toEqual([5_000, ['it lists more than 5000 tools: the rest is left out']]);
});

test('a list that is over the size limit ends before the page that is too much', async () => {
  const size = JSON.stringify([{ name: 't0', inputSchema: { type: 'object' } }]).length;
  const page = { tools: tools(0, 1), nextCursor: 'a' };
  const pages = [page, { tools: tools(1, 2), nextCursor: 'b' }, { tools: tools(2, 3) }];
  const listing = await listTools(() => Promise.resolve(pages.shift()), { pages: 9, tools: 9, bytes: 2 * size });
  expect([[...listing.tools.keys()], listing.warnings]).toEqual([
    ['t0', 't1'],
    [`its list of tools is over ${2 * size} bytes: the rest is left out`],
  ]);
});

test('a thousand complaints are summed up', async () => {
  const twice = [...tools(0, 100), ...tools(0, 100)];
  const { warnings } = await listTools(() => Promise.resolve({ tools: twice }));
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toBe('and 90 more problems with its list of tools');
});

test('a cursor may be long, and not endless', async () => {
  const pages = [16 * 1024, 16 * 1024 + 1].map((length, n) => ({ tools: tools(n, n + 1), nextCursor: 'x'.repeat(length) }));
  const listing = await listTools(() => Promise.resolve(pages.shift()));
  expect([listing.tools.size, listing.warnings]).toEqual([2, ['its list of tools has a cursor that is far too long: the list ends there']]);
});

test('a schema that is too deep is as good as none', async () => {
  const nest = (levels: number): object => (levels === 0 ? {} : { a: nest(levels - 1) });
  const page = {
    tools: [
      { name: 'ok', inputSchema: nest(199) },
      { name: 'deep', inputSchema: nest(201), outputSchema: nest(5_000) },
    ],
  };
  const { tools } = await listTools(() => Promise.resolve(page));
  expect(tools.get('ok')?.inputSchema).toEqual(nest(199));
  expect(tools.get('deep')).toEqual({ name: 'deep', inputSchema: { type: 'object' } });
});

test('a page that is no list of tools is an error', async () => {
  for (const page of [null, 5, {}, { tools: {} }]) {
    await expect(listTools(() => Promise.resolve(page))).rejects.toThrow('not a list of tools');
  }
});
