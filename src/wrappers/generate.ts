import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Catalog, CatalogServer, CatalogTool } from '../upstream/catalog.ts';
import { camelCase, folderName, uniqueNames } from './names.ts';
import { canonicalJson, schemaHash, textHash } from './schema-hash.ts';
import { firstLine } from './text.ts';
import { compileTool, indexFile } from './wrapper-file.ts';
import type { CompiledTool } from './wrapper-file.ts';
import type { WrapperSet, WrapperTool } from './wrapper-set.ts';

/** Compiled tools by the hash of all that they are made from. Kept by the caller between calls; only what was used last stays in it. */
export type WrapperCache = Map<string, CompiledTool>;

/** What a caller may add to {@link generateWrappers}. */
export interface GenerateOptions {
  /** Called after each server with how many of all servers are done. */
  readonly onProgress?: (done: number, total: number, server: string) => void;
  /** Makes a change of one tool cost one tool. */
  readonly cache?: WrapperCache;
}

interface ManifestTool {
  readonly name: string;
  readonly function: string;
  readonly file: string;
  readonly inputSchemaHash: string;
  readonly outputSchemaHash: string | null;
}

interface GeneratedServer {
  readonly name: string;
  readonly folder: string;
  readonly tools: readonly ManifestTool[];
}

/** Milliseconds of work after which other work gets its turn. */
const SLICE_MS = 10;

/**
 * TypeScript wrappers for every tool of the servers that are ready or retrying. The same catalog gives the same bytes, in any
 * order of listing. A schema can make a type loose, never make this fail.
 * @throws the signal's reason when it is aborted
 */
export async function generateWrappers(catalog: Catalog, options: GenerateOptions, signal: AbortSignal): Promise<WrapperSet> {
  const servers = [...catalog.servers].filter(isGenerated).sort(byName);
  const folders = uniqueNames(
    servers.map((server) => server.name),
    folderName,
    '-',
  );
  const run = new Generation(options.cache ?? new Map(), signal);
  const manifest: GeneratedServer[] = [];
  for (const [at, server] of servers.entries()) {
    manifest.push(await run.addServer(server, folders.get(server.name) ?? folderName(server.name)));
    options.onProgress?.(at + 1, servers.length, server.name);
  }
  return run.finish(manifest);
}

function isGenerated(server: CatalogServer): boolean {
  return (server.state === 'ready' || server.state === 'retrying') && server.tools.length > 0;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

class Generation {
  readonly #cache: WrapperCache;
  readonly #signal: AbortSignal;
  readonly #files = new Map<string, string>();
  readonly #tools: WrapperTool[] = [];
  readonly #used = new Set<string>();
  #sliceStart = performance.now();

  constructor(cache: WrapperCache, signal: AbortSignal) {
    this.#cache = cache;
    this.#signal = signal;
  }

  async addServer(server: CatalogServer, folder: string): Promise<GeneratedServer> {
    const names = uniqueNames(
      server.tools.map((tool) => tool.name),
      camelCase,
      '_',
    );
    const tools: ManifestTool[] = [];
    for (const tool of distinctTools(server.tools)) {
      await this.#breathe();
      tools.push(await this.#addTool(server.name, folder, tool, names.get(tool.name) ?? camelCase(tool.name)));
    }
    const functionNames = tools.map((tool) => tool.function).sort();
    this.#files.set(`${folder}/index.ts`, indexFile(server.name, functionNames));
    return { name: server.name, folder, tools };
  }

  finish(servers: readonly GeneratedServer[]): WrapperSet {
    this.#files.set('manifest.json', `${JSON.stringify({ generator: 'ampoule', servers }, undefined, 2)}\n`);
    for (const key of this.#cache.keys()) if (!this.#used.has(key)) this.#cache.delete(key);
    const files = new Map([...this.#files].sort(([a], [b]) => (a < b ? -1 : 1)));
    const tools = this.#tools.sort((a, b) => byName({ name: a.server }, { name: b.server }) || (a.functionName < b.functionName ? -1 : 1));
    return { hash: textHash(JSON.stringify([...files])), files, tools };
  }

  async #addTool(server: string, folder: string, tool: CatalogTool, functionName: string): Promise<ManifestTool> {
    const file = `${folder}/${functionName}.ts`;
    const compiled = await this.#compile(server, tool, functionName);
    this.#files.set(file, compiled.text);
    const summary = firstLine(tool.description ?? '', 200) || firstLine(tool.title ?? tool.annotations?.title ?? '', 200);
    this.#tools.push({ server, tool: tool.name, folder, functionName, signature: compiled.signature, summary });
    const outputSchemaHash = tool.outputSchema === undefined ? null : schemaHash(tool.outputSchema);
    return { name: tool.name, function: functionName, file, inputSchemaHash: schemaHash(tool.inputSchema), outputSchemaHash };
  }

  async #compile(server: string, tool: CatalogTool, functionName: string): Promise<CompiledTool> {
    // Keys in their own order: the order of properties is part of the text.
    const key = textHash(canonicalJson([server, functionName, tool], false));
    const compiled = this.#cache.get(key) ?? (await compileTool(server, tool, functionName));
    this.#cache.set(key, compiled);
    this.#used.add(key);
    return compiled;
  }

  async #breathe(): Promise<void> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    await nextTurn();
    this.#sliceStart = performance.now();
  }
}

/** Sorted by name; of two tools with one name (which no server should list) the same one stays in every order of listing. */
function distinctTools(tools: readonly CatalogTool[]): readonly CatalogTool[] {
  const sorted = [...tools].sort((a, b) => byName(a, b) || (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  return sorted.filter((tool, at) => tool.name !== sorted[at - 1]?.name);
}
