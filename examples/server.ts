import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify, styleText } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { CallToolResult } from '@modelcontextprotocol/client';

/** What the examples share: a server with a config of its own, and a client that shows what it does. */

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const PACKAGES = fileURLToPath(new URL('../node_modules/@modelcontextprotocol/', import.meta.url));

/** A running server and a client of it, both ended with the scope. */
export interface Example extends AsyncDisposable {
  /** The present one: a restart makes another. */
  readonly client: Client;
  /** Folder of the config file, gone at the end. */
  readonly folder: string;
  /** Calls a tool, shows code and answer, and gives the answer. */
  call(tool: string, args: Record<string, unknown>): Promise<CallToolResult>;
  /** Runs a program: {@link Example.call} of `execute_code`. Gives the structured answer. */
  execute(code: string, more?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Ends the server by SIGKILL, as a crash would, and starts it again. */
  crash(): Promise<void>;
  /** Runs a command of the operator's with the config of the example, and shows it. */
  operate(...args: string[]): Promise<string>;
}

/** The command of an installed MCP server, for `mcpServers` of a config. */
export function installed(name: 'everything' | 'filesystem' | 'memory', ...args: string[]): { command: string; args: string[] } {
  return { command: process.execPath, args: [join(PACKAGES, `server-${name}`, 'dist', 'index.js'), ...args] };
}

/**
 * Starts Ampoule with a config, which may be made from the folder that it will be in.
 * @param prepare says what the client can do beside calling tools
 */
export async function startExample(
  title: string,
  makeConfig: (folder: string) => object,
  prepare: (client: Client) => void = () => undefined,
): Promise<Example> {
  heading(title);
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-example-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'ampoule.json'), JSON.stringify({ log: { level: 'warn' }, ...makeConfig(folder) }, null, 2));
  const config = join(folder, 'ampoule.json');
  let running = await serve(config, prepare);
  started.defer(() => running.end('SIGTERM'));
  const call = async (tool: string, given: Record<string, unknown>): Promise<CallToolResult> => {
    showCall(tool, given);
    const result = await running.client.callTool({ name: tool, arguments: given });
    showAnswer(result);
    return result;
  };
  const execute = async (code: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> =>
    (await call('execute_code', { code: code.trim(), ...more })).structuredContent as Record<string, unknown>;
  const crash = async (): Promise<void> => {
    await running.end('SIGKILL');
    running = await serve(config, prepare);
  };
  const all = started.move();
  return {
    get client() {
      return running.client;
    },
    folder,
    call,
    execute,
    crash,
    operate: (...args) => operate([...args, '--config', config]),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Running {
  readonly client: Client;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

async function serve(config: string, prepare: (client: Client) => void): Promise<Running> {
  const args = ['serve', '--http', '127.0.0.1:0', '--config', config];
  const server = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const client = new Client({ name: 'ampoule-example', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    prepare(client);
    await client.connect(new StreamableHTTPClientTransport(new URL(await readyUrl(server))));
    const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
      await client.close();
      await ended(server, signal);
    };
    return { client, end };
  } catch (error) {
    await ended(server, 'SIGTERM');
    throw error;
  }
}

async function operate(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args]);
  process.stdout.write(`\n$ ampoule ${args.slice(0, -2).join(' ')}\n${stdout}`);
  return stdout;
}

/** A bold line. */
export function heading(text: string): void {
  process.stdout.write(`\n${styleText('bold', text)}\n`);
}

/** A line of explanation. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function showCall(tool: string, { code, ...others }: Record<string, unknown>): void {
  const rest = Object.keys(others).length === 0 ? '' : ` ${JSON.stringify(others)}`;
  process.stdout.write(`\n→ ${tool}${rest}\n`);
  if (typeof code === 'string') process.stdout.write(`${styleText('dim', code.replaceAll(/^/gm, '  │ '))}\n`);
}

/** What a model gets of an answer: without the figures, which the demo shows. */
function showAnswer({ content, structuredContent }: CallToolResult): void {
  const { usage: _usage, executionId: _id, calls: _calls, ...shown } = (structuredContent ?? {}) as Record<string, unknown>;
  const [first, ...others] = content;
  if (structuredContent === undefined && first?.type === 'text') process.stdout.write(`${first.text.replaceAll(/^/gm, '← ')}\n`);
  if (structuredContent !== undefined) process.stdout.write(`← ${JSON.stringify(shown, null, 2).replaceAll('\n', '\n← ')}\n`);
  for (const block of others) process.stdout.write(`← content: ${JSON.stringify(block).slice(0, 200)}\n`);
}

async function ended(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const closed = new Promise((resolve) => server.once('close', resolve));
  server.kill(signal);
  await closed;
}

/** The URL of the line `ampoule ready URL`. */
async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('the server has no output');
  for await (const line of createInterface({ input: stdout })) {
    const url = /^ampoule ready (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The server ended before it was ready; what it said is above.');
}
