import { setImmediate as nextTurn } from 'node:timers/promises';

import type { JsonSchema } from '../learned/learned-schema.ts';
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
  /** What was learned of the results of a tool that declares none. */
  readonly learned?: LearnedSchemas | undefined;
}

export type LearnedSchemas = (server: string, tool: string) => JsonSchema | undefined;

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
  const run = new Generation(catalog, options, signal);
  const manifest: GeneratedServer[] = [];
  for (const [at, server] of servers.entries()) {
    manifest.push(await run.addServer(server, folders.get(server.name) ?? folderName(server.name)));
    options.onProgress?.(at + 1, servers.length, server.name);
  }
  return run.finish(manifest);
}

function isGenerated(server: CatalogServer): boolean {
  return (server.state === 'ready' || server.state === 'retrying' || server.state === 'login') && server.tools.length > 0;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

class Generation {
  readonly #catalog: Catalog;
  readonly #cache: WrapperCache;
  readonly #learned: LearnedSchemas;
  readonly #signal: AbortSignal;
  readonly #files = new Map<string, string>();
  /** The texts that would be there if nothing had been learned, where they are different. */
  readonly #declared = new Map<string, string>();
  readonly #tools: WrapperTool[] = [];
  readonly #used = new Set<string>();
  #sliceStart = performance.now();

  constructor(catalog: Catalog, { cache = new Map(), learned = () => undefined }: GenerateOptions, signal: AbortSignal) {
    [this.#catalog, this.#cache, this.#learned, this.#signal] = [catalog, cache, learned, signal];
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
    if (this.#declared.size === 0) return this.#setOf(files, tools);
    const declared = new Map([...files].map(([file, text]) => [file, this.#declared.get(file) ?? text]));
    return { ...this.#setOf(files, tools), declared: this.#setOf(declared, tools) };
  }

  #setOf(files: ReadonlyMap<string, string>, tools: readonly WrapperTool[]): WrapperSet {
    return { hash: textHash(JSON.stringify([...files])), files, tools, catalog: this.#catalog };
  }

  async #addTool(server: string, folder: string, tool: CatalogTool, functionName: string): Promise<ManifestTool> {
    const file = `${folder}/${functionName}.ts`;
    const compiled = await this.#compile(server, tool, functionName);
    const schema = tool.outputSchema === undefined ? this.#learned(server, tool.name) : undefined;
    const learned = schema && (await this.#compile(server, tool, functionName, schema));
    this.#files.set(file, learned?.text ?? compiled.text);
    if (learned !== undefined) this.#declared.set(file, compiled.text);
    const summary = firstLine(tool.description ?? '', 200) || firstLine(tool.title ?? tool.annotations?.title ?? '', 200);
    const { signature } = compiled;
    const more = learned === undefined ? {} : { learnedSignature: learned.signature };
    this.#tools.push({ server, tool: tool.name, folder, functionName, signature, ...more, summary });
    const outputSchemaHash = tool.outputSchema === undefined ? null : schemaHash(tool.outputSchema);
    return { name: tool.name, function: functionName, file, inputSchemaHash: schemaHash(tool.inputSchema), outputSchemaHash };
  }

  async #compile(server: string, tool: CatalogTool, functionName: string, learned?: JsonSchema): Promise<CompiledTool> {
    // Keys in their own order: the order of properties is part of the text.
    const key = textHash(canonicalJson([server, functionName, tool, ...(learned ? [learned] : [])], false));
    const compiled = this.#cache.get(key) ?? (await compileTool(server, tool, functionName, learned));
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
