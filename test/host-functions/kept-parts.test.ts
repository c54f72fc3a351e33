import { expect, test } from 'vitest';
import { findItems, findLines, type PartRequest, type ReadAt } from '../../host-functions/kept-parts.ts';

function reader(text: string): ReadAt {
  const bytes = Buffer.from(text);
  return (at, length) => bytes.subarray(at, at + length);
}

function items(json: string, request: Partial<PartRequest>, marks: readonly [number, number][] = []): { found: unknown; shown: number } {
  const { start, end, shown } = findItems(reader(json), marks, { offset: 0, limit: Infinity, maxBytes: 1_000_000, ...request });
  return { found: JSON.parse(`[${Buffer.from(json).subarray(start, end).toString()}]`), shown };
}

const VALUES = [1, 'a,b]"\\', { x: [1, 2, { y: ',' }] }, [], [[3]], null, '😀', {}, -1.5e3, true];

test.each(VALUES.map((_, offset) => offset))('items are found from number %i on, whatever they hold', (offset) => {
  for (let limit = 1; limit <= VALUES.length; limit++) {
    const expected = VALUES.slice(offset, offset + limit);
    expect(items(JSON.stringify(VALUES), { offset, limit })).toEqual({ found: expected, shown: expected.length });
  }
});

test('a mark is where the search begins', () => {
  const json = JSON.stringify(Array.from({ length: 1_000 }, (_, id) => ({ id })));
  const at = json.indexOf('{"id":700}');
  const broken = `${'?'.repeat(at)}${json.slice(at)}`;
  expect(items(broken, { offset: 705, limit: 2 }, [[700, at]])).toEqual({ found: [{ id: 705 }, { id: 706 }], shown: 2 });
});

test('as many items come as there is room for, and none when the first is too large', () => {
  const json = JSON.stringify(['a'.repeat(10), 'b'.repeat(10), 'c'.repeat(10)]);
  expect(items(json, { maxBytes: 25 })).toEqual({ found: ['a'.repeat(10), 'b'.repeat(10)], shown: 2 });
  expect(items(json, { maxBytes: 12 })).toEqual({ found: ['a'.repeat(10)], shown: 1 });
  expect(items(json, { maxBytes: 11 })).toEqual({ found: [], shown: 0 });
});

test('items over many chunks are found', () => {
  const json = JSON.stringify(Array.from({ length: 5 }, (_, id) => `${id}`.repeat(100_000)));
  expect(items(json, { offset: 3, limit: 1 })).toEqual({ found: ['3'.repeat(100_000)], shown: 1 });
});

test('lines come with their ends, the last one also without', () => {
  const text = 'one\ntwo\n\nfour';
  const lines = (request: Partial<PartRequest>): [string, number] => {
    const { start, end, shown } = findLines(reader(text), [], { offset: 0, limit: Infinity, maxBytes: 100, ...request });
    return [text.slice(start, end), shown];
  };
  expect(lines({})).toEqual([text, 4]);
  expect(lines({ offset: 1, limit: 2 })).toEqual(['two\n\n', 2]);
  expect(lines({ offset: 3 })).toEqual(['four', 1]);
  expect(lines({ maxBytes: 8 })).toEqual(['one\ntwo\n', 2]);
  expect(lines({ maxBytes: 3 })[1]).toBe(0);
});
