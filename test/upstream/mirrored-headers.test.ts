import { expect, test } from 'vitest';
import { mirroredHeaderFault } from '../../src/upstream/mirrored-headers.ts';

const withRegion = (region: object, more: object = {}): object => ({ type: 'object', properties: { region, ...more } });

test.each([
  ['none at all', { type: 'object' }],
  ['a string', withRegion({ type: 'string', 'x-mcp-header': 'Region' })],
  ['a nested integer', { type: 'object', properties: { at: withRegion({ type: 'integer', 'x-mcp-header': 'Region' }) } }],
  ['a property of that very name', { type: 'object', properties: { 'x-mcp-header': { type: 'string' } } }],
])('a tool with %s is offered', (_, schema) => {
  expect(mirroredHeaderFault(schema as Record<string, unknown>)).toBeUndefined();
});

test.each([
  ['an empty name', withRegion({ type: 'string', 'x-mcp-header': '' })],
  ['a name with a line break', withRegion({ type: 'string', 'x-mcp-header': 'A\r\nAuthorization' })],
  ['a name that is no string', withRegion({ type: 'string', 'x-mcp-header': 7 })],
  ['an object', withRegion({ type: 'object', 'x-mcp-header': 'Region' })],
  ['a number, whose text is not one', withRegion({ type: 'number', 'x-mcp-header': 'Region' })],
  ['no type', withRegion({ 'x-mcp-header': 'Region' })],
  [
    'one name twice, in another case',
    withRegion({ type: 'string', 'x-mcp-header': 'Region' }, { b: { type: 'string', 'x-mcp-header': 'rEGION' } }),
  ],
  ['one in the items of a list', withRegion({ type: 'array', items: { type: 'string', 'x-mcp-header': 'Region' } })],
  ['one in a choice', { type: 'object', anyOf: [withRegion({ type: 'string', 'x-mcp-header': 'Region' })] }],
  ['one on the whole', { type: 'object', 'x-mcp-header': 'Region' }],
])('a tool whose header is declared with %s is not', (_, schema) => {
  expect(mirroredHeaderFault(schema as Record<string, unknown>)).toMatch(/x-mcp-header/);
});
