import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, test } from 'vitest';

import type { CatalogServer, CatalogTool } from '../../src/upstream/catalog.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server } from './catalogs.ts';
import { parseErrors, typeErrors } from './check-typescript.ts';

const resolve = createRequire(import.meta.url).resolve;

async function listed(name: string, args: readonly string[]): Promise<CatalogServer> {
  const script = path.join(path.dirname(resolve(`@modelcontextprotocol/server-${name}/package.json`)), 'dist/index.js');
  const transport = new StdioClientTransport({ command: process.execPath, args: [script, ...args], stderr: 'ignore' });
  const client = new Client({ name: 'wrappers-test', version: '0.0.0' });
  try {
    await client.connect(transport, { timeout: 30_000 });
    const { tools } = await client.listTools();
    return server(name, tools as unknown as CatalogTool[]);
  } finally {
    await client.close();
  }
}

test('the tools of real servers become functions that type-check and can be called as documented', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ampoule-real-'));
  try {
    const servers = await Promise.all([listed('everything', []), listed('filesystem', [directory]), listed('memory', [])]);
    const set = await generateWrappers(catalog(...servers), {}, QUIET);
    expect(await parseErrors(set.files)).toEqual([]);
    const program = `
      import { echo, getSum } from "./everything/index.ts";
      import * as filesystem from "./filesystem/index.ts";
      import { createEntities, readGraph } from "./memory/index.ts";
      const names: string[] = ["a", "b"].map((name) => name + ".txt");
      await echo({ message: "x" });
      await getSum({ a: 1, b: 2 });
      await filesystem.readTextFile({ path: "/a", head: 10 });
      await filesystem.readMultipleFiles({ paths: names });
      await createEntities({ entities: [{ name: "a", entityType: "b", observations: names }] });
      const graph = await readGraph();
      const entities: string[] = graph.entities.map((entity) => entity.name);
      // @ts-expect-error -- the message is missing
      await echo({});
      export { entities };
    `;
    expect(await typeErrors(set.files, { 'program.ts': program })).toBe('');
    expect(set.tools.every((entry) => !entry.functionName.includes('_'))).toBe(true);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
