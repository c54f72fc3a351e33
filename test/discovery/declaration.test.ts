import { expect, test } from 'vitest';
import { declarationOf } from '../../src/discovery/declaration.ts';
import { compileTool } from '../../src/wrappers/wrapper-file.ts';
import { tool } from './fixture.ts';

test('a declaration is the wrapper without its head and its implementation', async () => {
  const { text } = await compileTool('crm', tool('find', 'Finds things.', ['name']), 'find');
  expect(declarationOf(text, 'servers/crm/find.ts')).toBe(
    [
      'export interface FindInput {\n  name: string;\n}',
      'export type FindOutput = unknown;',
      "/**\n * Finds things.\n *\n * The server does not declare the result's shape: check it before you rely on it.\n */",
      'export function find(input: FindInput): Promise<FindOutput>;',
    ].join('\n'),
  );
});

test('comments of one line stand on one line', async () => {
  const inputSchema = { type: 'object', properties: { name: { type: 'string', description: 'Whom to find' } } };
  const { text } = await compileTool('crm', { name: 'find', inputSchema }, 'find');
  expect(text).toContain('  /**\n   * Whom to find\n   */\n  name?: string;');
  expect(declarationOf(text, 'x')).toContain('  /** Whom to find */\n  name?: string;');
});

test('arguments that may be left out are marked so', async () => {
  const { text } = await compileTool('crm', { name: 'ping', inputSchema: { type: 'object' } }, 'ping');
  expect(declarationOf(text, 'x')).toContain('export function ping(input?: PingInput): Promise<PingOutput>;');
});
