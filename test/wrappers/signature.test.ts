import { expect, test } from 'vitest';

import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from './catalogs.ts';
import { typeErrors } from './check-typescript.ts';
import { NASTY_SCHEMAS } from './nasty-schemas.ts';

async function signatureOf(inputSchema: unknown, outputSchema?: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  const set = await generateWrappers(catalog(server('s', [tool('f', inputSchema, outputSchema && { outputSchema })])), {}, QUIET);
  return set.tools[0]?.signature;
}

const string = { type: 'string' };

test.each([
  [
    { type: 'object', properties: { a: string, b: { type: 'integer' } }, required: ['a'] },
    'f(input: { a: string; b?: number }): Promise<unknown>',
  ],
  [{ type: 'object', properties: {} }, 'f(): Promise<unknown>'],
  [{ type: 'object' }, 'f(input?: { [key: string]: unknown }): Promise<unknown>'],
  [{ type: 12 }, 'f(input?: object): Promise<unknown>'],
  [
    { type: 'object', properties: { a: { type: 'array', items: { enum: ['x', 'y'] } } } },
    'f(input?: { a?: Array<"x" | "y"> }): Promise<unknown>',
  ],
  [{ type: 'object', properties: { a: { type: 'array', items: string } } }, 'f(input?: { a?: string[] }): Promise<unknown>'],
  [{ type: 'object', properties: { 'a b': { type: ['string', 'null'] } } }, 'f(input?: { "a b"?: string | null }): Promise<unknown>'],
  [
    { $ref: '#/$defs/A', $defs: { A: { type: 'object', properties: { a: { $ref: '#/$defs/A' } } } } },
    'f(input?: { a?: { a?: unknown } }): Promise<unknown>',
  ],
])('the schema %j has the signature %s', async (schema, expected) => {
  expect(await signatureOf(schema)).toBe(expected);
});

test('an output schema is in the signature', async () => {
  expect(await signatureOf({ type: 'object', properties: {} }, { type: 'object', properties: { id: string }, required: ['id'] })).toBe(
    'f(): Promise<{ id: string }>',
  );
});

test('a signature that would be too long keeps what is required and counts the rest', async () => {
  const properties = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`a_rather_long_name_${at}`, string]));
  const line = await signatureOf({ type: 'object', properties, required: ['a_rather_long_name_59'] });
  expect(line).toMatch(/^f\(input: \{ a_rather_long_name_59: string; .*\/\* 5\d more \*\/ \}\): Promise<unknown>$/);
});

test('every signature is one bounded line of valid TypeScript', async () => {
  const tools = Object.entries(NASTY_SCHEMAS).map(([name, schema]) =>
    tool(name, schema, { outputSchema: schema as Record<string, unknown> }),
  );
  const set = await generateWrappers(catalog(server('nasty', tools)), {}, QUIET);
  for (const { signature } of set.tools) {
    expect(signature.length).toBeLessThanOrEqual(300);
    expect(signature).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  const declarations = set.tools.map(({ signature }) => `export declare function ${signature};`).join('\n');
  expect(await typeErrors(new Map(), { 'signatures.ts': declarations })).toBe('');
});
