import type { ContentBlock } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { knownContent } from '../../src/server/known-content.ts';

const BLOCKS: ContentBlock[] = [
  { type: 'text', text: 'a' },
  { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' },
  { type: 'audio', data: 'aGVsbG8=', mimeType: 'audio/wav' },
  { type: 'resource', resource: { uri: 'mem://1', text: 'x' } },
  { type: 'resource_link', uri: 'mem://2', name: 'two' },
];

test.each([
  ['2026-07-28', ['text', 'image', 'audio', 'resource', 'resource_link']],
  ['2025-06-18', ['text', 'image', 'audio', 'resource', 'resource_link']],
  ['2025-03-26', ['text', 'image', 'audio', 'resource', 'text']],
  [undefined, ['text', 'image', 'audio', 'resource', 'text']],
  ['2024-11-05', ['text', 'image', 'text', 'resource', 'text']],
])('a client of %s gets only kinds of content that it knows, at the same places', (version, types) => {
  const content = knownContent(BLOCKS, version);
  expect(content.map(({ type }) => type)).toEqual(types);
});

test('a text in the place of a link says where it leads', () => {
  expect(knownContent(BLOCKS, '2025-03-26').at(-1)).toEqual({ type: 'text', text: '[two: mem://2]' });
});
