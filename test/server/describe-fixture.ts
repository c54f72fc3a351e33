import type { DescriptionSource } from '../../src/server/sandbox-port.ts';
import type { CatalogServer } from '../../src/upstream/catalog.ts';
import type { WrapperTool } from '../../src/wrappers/wrapper-set.ts';
import { LIMIT_DEFAULTS } from './canned-port.ts';

/** Functions by folder. */
export type SourceDescription = Readonly<Record<string, readonly { name: string; summary?: string; readOnly?: boolean }[]>>;

/** A catalog and its wrappers, each function with one required string argument. */
export function sourceOf(folders: SourceDescription): DescriptionSource {
  const tools = Object.entries(folders).flatMap(([folder, functions]): WrapperTool[] =>
    functions.map(({ name, summary = '' }) => ({
      server: folder,
      tool: name,
      folder,
      functionName: name,
      signature: `${name}(input: { q: string }): Promise<unknown>`,
      summary,
    })),
  );
  const servers = Object.entries(folders).map(([name, functions]): CatalogServer => ({
    name,
    state: 'ready',
    tools: functions.map((tool) => ({
      name: tool.name,
      inputSchema: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
      annotations: { readOnlyHint: tool.readOnly ?? false },
    })),
  }));
  return { wrappers: { hash: JSON.stringify(folders), files: new Map(), tools }, catalog: { servers }, limits: LIMIT_DEFAULTS };
}
