import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { configJsonSchema, configJsonSchemaText } from '../../src/config/json-schema.ts';
import type { SchemaNode } from '../../src/config/json-schema.ts';
import { errorOf, parse } from './parse.ts';

const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(configJsonSchema());

describe('the JSON Schema for editors', () => {
  test('is the one that is committed', async () => {
    await expect(configJsonSchemaText()).toMatchFileSnapshot('../../ampoule.schema.json');
  });

  test('has a text for every key', () => {
    expect(keysWithoutText(configJsonSchema(), '')).toEqual([]);
  });

  test.each([
    {},
    { $schema: 'x', mcpServers: { a: { command: 'x' }, b: { type: 'streamable_http', url: 'http://h', headers: { A: 'b' } } }, workers: 3 },
    { mcpServers: { a: { url: '${env:URL}', type: '${env:TYPE}' } }, libraries: ['${env:LIBRARY}'] },
    { log: { level: '${env:LEVEL}' }, http: { path: '${env:P}', allowedOrigins: ['${env:ORIGIN}'] } },
  ])('takes what the program takes: %j', (config) => {
    validate(config);
    expect(validate.errors).toBeNull();
    const environment = { URL: 'http://h', TYPE: 'http', LIBRARY: 'x', LEVEL: 'info', P: '/', ORIGIN: 'http://h' };
    expect(() => parse(config, environment)).not.toThrow();
  });

  test.each([
    { limts: {} },
    { mcpServers: { a: {} } },
    { mcpServers: { a: { command: 'x', url: 'http://h' } } },
    { mcpServers: { a: { url: 'ftp://h' } } },
    { mcpServers: { '-a': { command: 'x' } } },
    { mcpServers: { '${env:A}': { command: 'x' } } },
    { limits: { memoryMb: 257 } },
    { log: { level: 'loud' } },
    { libraries: ['a', 'a'] },
    { workers: 0 },
  ])('refuses what the program refuses: %j', (config) => {
    expect(validate(config)).toBe(false);
    expect(errorOf(config).code).toBe('ERR_CONFIG_INVALID');
  });
});

function keysWithoutText(node: SchemaNode, path: string): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    ...(typeof child['description'] === 'string' && child['description'].length > 10 ? [] : [`${path}.${key}`]),
    ...keysWithoutText(child, `${path}.${key}`),
  ]);
  const entries = typeof node.additionalProperties === 'object' ? keysWithoutText(node.additionalProperties, `${path}.*`) : [];
  return [...own, ...entries, ...(node.anyOf ?? []).flatMap((branch) => keysWithoutText(branch, path))];
}

test('the committed file ends with one line break', () => {
  expect(readFileSync(new URL('../../ampoule.schema.json', import.meta.url), 'utf8')).toMatch(/[^\n]\n$/);
});
