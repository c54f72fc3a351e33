import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSource } from '../../src/bundle/source-text.ts';
import { type Checker, type CheckReport, createChecker } from '../../src/check/checker.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const SIGNAL = new AbortController().signal;

const item = { type: 'object', properties: { id: { type: 'integer' }, title: { type: 'string' } }, required: ['id', 'title'] };

/** Two servers: a tool with typed results, one without, one whose input is optional. */
export const CATALOG = {
  servers: [
    {
      name: 'github',
      state: 'ready',
      tools: [
        {
          name: 'list_issues',
          description: 'Lists issues.',
          inputSchema: {
            type: 'object',
            properties: {
              repo: { type: 'string', description: 'Owner and name; both' },
              state: { enum: ['open', 'closed'] },
              labels: { type: 'array', minItems: 1, items: { type: 'string' } },
              limit: { type: 'integer' },
            },
            required: ['repo'],
          },
          outputSchema: { type: 'object', properties: { items: { type: 'array', items: item } }, required: ['items'] },
        },
        { name: 'raw_search', inputSchema: { type: 'object', properties: { query: { type: 'string' } } } },
      ],
    },
    {
      name: 'mail',
      state: 'ready',
      tools: [{ name: 'send', inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] } }],
    },
  ],
} as unknown as Catalog;

export function wrappersOf(catalog: Catalog): Promise<WrapperSet> {
  return generateWrappers(catalog, {}, SIGNAL);
}

export function openChecker(options: Partial<Parameters<typeof createChecker>[0]> = {}): Checker {
  const guest = (name: string): string => readFileSync(new URL(`../../host-functions/guest/${name}`, import.meta.url), 'utf8');
  return createChecker({
    libraries: ['zod', 'lodash'],
    resolveFrom: ROOT,
    globals: guest('globals.d.ts'),
    ampoule: guest('ampoule.d.ts'),
    readSource,
    ...options,
  });
}

/** What an agent reads: `line:column TS<code> message`. */
export function shown({ diagnostics }: CheckReport): string[] {
  return diagnostics.map(({ location, tsCode, message }) => `${location?.line}:${location?.column} TS${tsCode} ${message}`);
}

/** Process ids of the checkers that this process has started. */
export function checkerPids(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        return new RegExp(`^PPid:\\s+${parent}$`, 'mu').test(status) && /^Name:\s+tsc$/mu.test(status) && !/^State:\s+Z/mu.test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}
