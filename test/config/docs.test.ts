import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import type { SchemaNode } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { limitsTable } from './limits-table.ts';
import { parse } from './parse.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const docs = readFileSync(join(root, 'docs', 'configuration.md'), 'utf8');

describe('docs/configuration.md', () => {
  test('has the limits as they are', () => {
    expect(docs).toContain(`\n${limitsTable()}\n`);
  });

  test('has every key in a table', () => {
    const missing = allKeys(configJsonSchema()).filter(
      (key) => !new RegExp(`^\\| \\[?\`(?:tools\\.)?${key.replace('$', '\\$')}\``, 'm').test(docs),
    );
    expect(missing).toEqual([]);
  });

  test('has every error code of the config', () => {
    expect(ERROR_CODES.filter((code) => code.startsWith('ERR_CONFIG_') && !docs.includes(`| \`${code}\` |`))).toEqual([]);
  });

  test('has examples that are right', () => {
    const examples = [...docs.matchAll(/```json\n([^]*?)```/g)].map(([, text]) => text ?? '');
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) expect(() => parse(example, { GITHUB_TOKEN: 'x' })).not.toThrow();
  });
});

describe('examples/ampoule.json', () => {
  const file = join(root, 'examples', 'ampoule.json');

  test('is right, with no variable set', async () => {
    const config = await loadConfig({ file, environment: {} });
    expect(Object.keys(config.mcpServers)).toEqual(['everything', 'memory']);
    expect(config.generatedDir).toBe(join(root, 'generated'));
    expect(config.mounts).toEqual({ examples: join(root, 'examples') });
  });

  test('names a schema that exists', async () => {
    const { $schema } = JSON.parse(readFileSync(file, 'utf8')) as { $schema: string };
    expect(JSON.parse(readFileSync(join(root, 'examples', $schema), 'utf8'))).toEqual(configJsonSchema());
  });
});

function allKeys(node: SchemaNode): string[] {
  const properties = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [key, ...allKeys(child)]);
  const entries = typeof node.additionalProperties === 'object' ? allKeys(node.additionalProperties) : [];
  return [...new Set([...properties, ...entries, ...(node.anyOf ?? []).flatMap(allKeys)])];
}
