import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebUpstream } from '../chaos/web-upstream.ts';
import { HttpClient } from '../exchange.ts';
import { descriptors, residentBytes } from '../process-table.ts';
import { filesBelow, makeServerFolder, ServerUnderTest, type ServerFolder } from '../server.ts';
import type { Sample } from './figures.ts';
import { soakRun } from './programs.ts';

const STDIO_UPSTREAM = fileURLToPath(new URL('../upstream/over-stdio.ts', import.meta.url));
const LANES = 4;
const PAUSES = 60;
const MiB = 1024 * 1024;
/** Low enough that every store is full before half of the runs are over: from then on each new entry takes the place of an old one. */
const LIMITS = {
  maxCacheBytes: 2 * MiB,
  maxKeptBytes: 2 * MiB,
  maxSessions: 100,
  maxStoredBytes: 4 * MiB,
  executionTtlMs: 10_000,
  hibernateAfterMs: 5,
};
/** The store of executions, and what SQLite has beside it. */
const EXECUTIONS = /^executions\.db/;
const AUDIT = { maxBytes: MiB };

export interface SoakReport {
  readonly samples: readonly Sample[];
  /** Of the runs after the warm-up, in their order, in milliseconds. */
  readonly latencies: readonly number[];
  readonly seconds: number;
  readonly wrong: readonly string[];
  readonly runsByKind: Readonly<Record<string, number>>;
}

/** Runs through the whole product over HTTP, with a look at everything that could grow between them. */
export async function runSoak(runs: number, onTick: (text: string) => void): Promise<SoakReport> {
  await using started = new AsyncDisposableStack();
  const { folder, server } = await openServer(started);
  const warmUp = Math.max(400, Math.round(runs * 0.05));
  const load = new Load(server.url);
  await load.open();
  const began = performance.now();
  await load.run(warmUp);
  load.latencies.length = 0;
  const samples: Sample[] = [await sampleOf(server, folder, 0)];
  for (let pause = 1; pause <= PAUSES; pause++) {
    await load.run(Math.round((runs * pause) / PAUSES) - Math.round((runs * (pause - 1)) / PAUSES));
    samples.push(await sampleOf(server, folder, load.latencies.length));
    onTick(`${load.latencies.length.toLocaleString('en')} of ${runs.toLocaleString('en')} runs, ${load.wrong.length} wrong`);
  }
  const seconds = (performance.now() - began) / 1_000;
  load.close();
  const { code, left } = await server.end('SIGTERM');
  if (code !== 0 || left.length > 0) load.wrong.push(`the gateway ended with ${code} and left ${left.length} processes`);
  return { samples, latencies: load.latencies, seconds, wrong: load.wrong, runsByKind: load.runsByKind };
}

async function openServer(started: AsyncDisposableStack): Promise<{ folder: ServerFolder; server: ServerUnderTest }> {
  const folder = started.use(await makeServerFolder({}));
  const effects = join(folder.path, 'effects');
  const web = started.use(await WebUpstream.open(effects));
  const config = {
    ...(JSON.parse(await readFile(join(folder.path, 'ampoule.json'), 'utf8')) as object),
    workers: 2,
    mcpServers: { one: { command: process.execPath, args: [STDIO_UPSTREAM, effects] }, web: { url: web.url } },
    limits: LIMITS,
    audit: AUDIT,
  };
  await writeFile(join(folder.path, 'ampoule.json'), JSON.stringify(config));
  const server = new ServerUnderTest(folder, 'http');
  started.defer(() => void server.child.kill('SIGKILL'));
  await server.ready();
  return { folder, server };
}

/** The clients, and what they have seen. */
class Load {
  readonly latencies: number[] = [];
  readonly wrong: string[] = [];
  readonly runsByKind: Record<string, number> = {};
  readonly #clients: readonly HttpClient[];
  #next = 1;

  constructor(url: string) {
    this.#clients = Array.from({ length: LANES }, (_, lane) => new HttpClient(url, lane % 2 === 0 ? '2026-07-28' : '2025-11-25'));
  }

  async open(): Promise<void> {
    for (const client of this.#clients) await client.open();
  }

  /** So many more, some at a time. */
  async run(count: number): Promise<void> {
    const end = this.#next + count;
    const lane = async (client: HttpClient): Promise<void> => {
      while (this.#next < end) await this.#one(client, this.#next++);
    };
    await Promise.all(this.#clients.map(lane));
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #one(client: HttpClient, number: number): Promise<void> {
    const { kind, arguments: args, expected } = soakRun(number);
    const began = performance.now();
    const { messages, broken } = await client.post('tools/call', { name: 'execute_code', arguments: args }).answered;
    this.latencies.push(performance.now() - began);
    this.runsByKind[kind] = (this.runsByKind[kind] ?? 0) + 1;
    const output = messages[0]?.result?.['structuredContent'] as
      | { result?: unknown; kept?: unknown[]; error?: { code: string } }
      | undefined;
    const got = output?.error?.code ?? (output?.kept?.length === 1 ? 'kept' : JSON.stringify(output?.result));
    if (messages.length === 1 && got === expected) return;
    if (this.wrong.length < 20) this.wrong.push(`${kind} ${number}: ${got ?? broken ?? 'no answer'} in place of ${expected}`);
  }
}

async function sampleOf(server: ServerUnderTest, { temporary, cache }: ServerFolder, runs: number): Promise<Sample> {
  const { heapUsed, timers } = await server.figures();
  const executors = server.processes().filter(({ command }) => /executor.executor\.[jt]s/.test(command));
  const files = await Promise.all(
    (await filesBelow(cache)).map(async (file) => ({ file, size: (await stat(join(cache, file)).catch(() => ({ size: 0 }))).size })),
  );
  const bytes = (isOne: (file: string) => boolean): number => files.reduce((sum, { file, size }) => sum + (isOne(file) ? size : 0), 0);
  return {
    runs,
    gatewayBytes: residentBytes(server.pid),
    executorBytes: executors.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
    heapBytes: heapUsed,
    descriptors: descriptors(server.pid).length + executors.reduce((sum, { pid }) => sum + descriptors(pid).length, 0),
    timers,
    temporaryFiles: (await filesBelow(temporary)).length,
    cacheBytes: bytes((file) => !EXECUTIONS.test(file)),
    executionBytes: bytes((file) => EXECUTIONS.test(file)),
  };
}
