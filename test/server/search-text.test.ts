import { expect, test } from 'vitest';
import { renderSearch } from '../../src/server/search-text.ts';

const IMPORT = 'import { list } from "servers/a";';

test('a name is its import line', () => {
  expect(renderSearch({ total: 1, hits: [{ kind: 'tool', name: 'list', import: IMPORT }] })).toBe(IMPORT);
});

test('a summary is one line more, with what is to be known first', () => {
  const hit = {
    kind: 'tool',
    name: 'list',
    import: IMPORT,
    signature: 'list(): Promise<unknown>',
    summary: 'Lists.',
    note: 'asks a person first',
  } as const;
  expect(renderSearch({ total: 1, hits: [hit] })).toBe(`${IMPORT}\n  list(): Promise<unknown> // (asks a person first) Lists.`);
});

test('full hits stand apart, and the last line has the way to the next page', () => {
  const hit = { kind: 'tool', name: 'list', import: IMPORT, types: 'export function list(): Promise<unknown>;' } as const;
  expect(renderSearch({ total: 9, hits: [hit, hit], nextCursor: 'abc' })).toBe(
    `${IMPORT}\n${hit.types}\n\n${IMPORT}\n${hit.types}\n\n2 of 9; the next: cursor "abc"`,
  );
});

test('a skill says that it is one, and its note', () => {
  const hit = {
    kind: 'skill',
    name: 'x',
    import: 'import { x } from "skills/x";',
    signature: 'x(): void',
    summary: 'Does.',
    note: 'a.b changed.',
  } as const;
  expect(renderSearch({ total: 1, hits: [hit] })).toBe(
    'import { x } from "skills/x";\n  x(): void // skill: Does.\n  // Note: a.b changed.',
  );
});

test('nothing is told with what there is', () => {
  const suggestions = { words: ['issue'], servers: [{ server: 'a', tools: 2 }], elsewhere: 3 };
  expect(renderSearch({ total: 0, hits: [], suggestions })).toBe(
    'Nothing found.\nOther servers have 3: search without "server".\nWords that are there: issue.\nServers: a (2).',
  );
  expect(renderSearch({ total: 0, hits: [], suggestions: { words: [], servers: [], elsewhere: 0 } })).toContain('No server is connected.');
});
