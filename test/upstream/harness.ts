import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { LookupFunction } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { HttpServerConfig, ServerConfig, StdioServerConfig } from '../../src/config/schema.ts';
import type { CatalogServer } from '../../src/upstream/catalog.ts';
import type { LoginStoreOptions } from '../../src/upstream/login/login-store.ts';
import type { UpstreamLog } from '../../src/upstream/options.ts';
import type { Upstreams } from '../../src/upstream/upstreams.ts';
import { connectUpstreams } from '../../src/upstream/upstreams.ts';

/** Lines that were logged, as `level message`. */
export class RecordedLog implements UpstreamLog {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
}

export interface ConnectOptions {
  readonly maxToolResultBytes?: number;
  readonly connectTimeoutMs?: number;
  readonly baseEnvironment?: Readonly<Record<string, string>>;
  readonly log?: UpstreamLog;
  readonly logins?: LoginStoreOptions;
  readonly lookup?: LookupFunction;
}

/** Connects, and closes after the test. */
export function connect(servers: Record<string, ServerConfig>, options: ConnectOptions = {}): Upstreams {
  const upstreams = connectUpstreams(servers, {
    maxToolResultBytes: 1024 * 1024,
    baseEnvironment: { PATH: process.env['PATH'] ?? '', SECRET_OF_GATEWAY: 'gateway-secret' },
    log: new RecordedLog(),
    clientInfo: { name: 'ampoule-test', version: '0.0.0' },
    ...options,
  });
  onTestFinished(() => upstreams[Symbol.asyncDispose]());
  return upstreams;
}

const COMMON = { enabled: true, timeoutMs: 10_000, tools: { allow: ['*'], deny: [] } };

export function command(args: string[], more: Partial<StdioServerConfig> = {}): StdioServerConfig {
  return { type: 'stdio', command: process.execPath, args, env: {}, ...COMMON, ...more };
}

/** A server of test/fixtures/upstreams. */
export function fixture(name: string, args: string[] = [], more: Partial<StdioServerConfig> = {}): StdioServerConfig {
  return command([fixturePath(name), ...args], more);
}

function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/upstreams/${name}.ts`, import.meta.url));
}

/** The main file of an installed server package. */
export function packaged(name: 'server-everything' | 'server-filesystem' | 'server-memory'): string {
  return fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));
}

export function remote(type: 'http' | 'sse', url: string, more: Partial<HttpServerConfig> = {}): HttpServerConfig {
  return { type, url, headers: {}, ...COMMON, ...more };
}

export function server(upstreams: Upstreams, name: string): CatalogServer {
  const found = upstreams.catalog().servers.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no server ${name}`);
  return found;
}

export function toolNames(upstreams: Upstreams, name: string): string[] {
  return server(upstreams, name).tools.map((one) => one.name);
}

/** Waits until something holds, at most `ms`. */
export async function until(holds: () => boolean, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not so after ${ms} ms: ${holds.toString()}`);
    await sleep(10);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

/** server-everything over HTTP, ended after the test. */
export async function startEverything(transport: 'streamableHttp' | 'sse', port?: number): Promise<{ port: number; child: ChildProcess }> {
  const chosen = port ?? (await freePort());
  const child = spawn(process.execPath, [packaged('server-everything'), transport], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(chosen) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  child.stdout.resume();
  child.stderr.resume();
  onTestFinished(() => end(child));
  const path = transport === 'sse' ? '/sse' : '/mcp';
  await untilAnswers(`http://127.0.0.1:${chosen}${path}`);
  return { port: chosen, child };
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGKILL');
  await promise;
}

async function untilAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      const abort = new AbortController();
      await fetch(url, { signal: abort.signal });
      abort.abort();
      return;
    } catch {
      await sleep(20);
    }
  }
  throw new Error(`nothing answers at ${url}`);
}

/** A port of 127.0.0.1 that nothing listens on. */
export function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
