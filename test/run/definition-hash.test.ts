import { expect, test } from 'vitest';
import { definitionHash } from '../../src/run/definition-hash.ts';

const TOOL = {
  name: 't',
  description: 'd',
  inputSchema: { type: 'object', properties: { a: {}, b: {} } },
  annotations: { destructiveHint: true },
};

test('a definition has a name that says nothing of the order of its members', () => {
  const { annotations, ...rest } = TOOL;
  const other = { annotations, ...rest, inputSchema: { properties: { b: {}, a: {} }, type: 'object' } };
  expect(definitionHash(TOOL)).toMatch(/^[\da-f]{16}$/);
  expect(definitionHash(other)).toBe(definitionHash(TOOL));
});

test.each([
  ['title', { title: 'x' }],
  ['description', { description: 'e' }],
  ['input', { inputSchema: { type: 'object', properties: { a: {}, c: {} } } }],
  ['output', { outputSchema: {} }],
  ['annotations', { annotations: { destructiveHint: false } }],
])('another %s makes another name', (_name, change) => {
  expect(definitionHash({ ...TOOL, ...change })).not.toBe(definitionHash(TOOL));
});
