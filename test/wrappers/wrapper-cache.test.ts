import { expect, test } from 'vitest';

import { generateWrappers } from '../../src/wrappers/generate.ts';
import type { WrapperCache } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from './catalogs.ts';

/** Milliseconds that this thread has computed: what others on the machine take does not count. */
function spent(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

test('a thousand tools take seconds, and other work gets its turn', async () => {
  const properties = Object.fromEntries(
    Array.from({ length: 12 }, (_, at) => [`field_${at}`, { type: 'array', items: { $ref: '#/$defs/item' }, description: 'A field.' }]),
  );
  const $defs = {
    item: {
      type: 'object',
      properties: { id: { type: 'integer' }, tags: { type: 'array', items: { enum: ['a', 'b'] } } },
      required: ['id'],
    },
  };
  const tools = Array.from({ length: 1_000 }, (_, at) => tool(`tool_${at}`, { type: 'object', properties, $defs, title: `t${at}` }));
  let longest = 0;
  let last = spent();
  const beat = setInterval(() => {
    longest = Math.max(longest, spent() - last);
    last = spent();
  }, 1);
  const start = spent();
  const cache: WrapperCache = new Map();
  const set = await generateWrappers(catalog(server('big', tools)), { cache }, QUIET);
  const first = spent() - start;
  clearInterval(beat);
  expect(set.tools).toHaveLength(1_000);
  expect(first).toBeLessThan(15_000);
  expect(longest).toBeLessThan(250);
  const again = spent();
  const changed = [tool('tool_0', { type: 'object' }), ...tools.slice(1)];
  const second = await generateWrappers(catalog(server('big', changed)), { cache }, QUIET);
  expect(spent() - again).toBeLessThan(first / 3);
  expect(cache.size).toBe(1_000);
  expect([...second.files].filter(([name, text]) => set.files.get(name) !== text).map(([name]) => name)).toEqual([
    'big/tool0.ts',
    'manifest.json',
  ]);
});

test('a cached set is the same as a fresh one, also when properties changed their order', async () => {
  const cache: WrapperCache = new Map();
  const first = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } };
  const second = { properties: { b: { type: 'string' }, a: { type: 'string' } }, type: 'object' };
  await generateWrappers(catalog(server('s', [tool('t', first)])), { cache }, QUIET);
  const cached = await generateWrappers(catalog(server('s', [tool('t', second)])), { cache }, QUIET);
  expect(cached).toEqual(await generateWrappers(catalog(server('s', [tool('t', second)])), {}, QUIET));
});

test('generation stops when its signal is aborted', async () => {
  await expect(generateWrappers(catalog(server('s', [tool('t')])), {}, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});
