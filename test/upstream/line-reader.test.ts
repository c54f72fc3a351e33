import { expect, test } from 'vitest';
import { LineReader } from '../../src/upstream/line-reader.ts';

interface Read {
  readonly lines: string[];
  readonly oversized: { head: string; tail: string; whole: string | undefined }[];
  floods: number;
}

function read(chunks: readonly string[], maxBytes: number, keptBytes?: number): Read {
  const found: Read = { lines: [], oversized: [], floods: 0 };
  const sinks = {
    line: (line: string) => void found.lines.push(line),
    oversized: (head: string, tail: string, whole: Buffer | undefined) =>
      void found.oversized.push({ head, tail, whole: whole?.toString() }),
    flooded: () => void found.floods++,
  };
  const reader = new LineReader(maxBytes, sinks, keptBytes);
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return found;
}

test.each([1, 3, 7, 1_000])('a line over the limit is kept whole up to the other limit, in chunks of %i bytes', (size) => {
  const text = `small\n${'a'.repeat(15)}\n${'b'.repeat(16)}\nlast\n`;
  const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  const found = read(chunks, 10, 15);
  expect(found.lines).toEqual(['small', 'last']);
  expect(found.oversized.map(({ whole }) => whole)).toEqual(['a'.repeat(15), undefined]);
  expect(found.oversized[1]?.tail.endsWith('b')).toBe(true);
});

test('nothing over the limit is kept where nobody wants it', () => {
  expect(read(['x'.repeat(12), '\n'], 10).oversized).toMatchObject([{ whole: undefined }]);
});

test('a line without an end is a flood from twice the limit on', () => {
  expect(read(['x'.repeat(20)], 10, 15).floods).toBe(0);
  expect(read(['x'.repeat(21)], 10, 15).floods).toBe(1);
});
