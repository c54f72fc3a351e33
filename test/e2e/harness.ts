import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { connect, type CallAnswer, type Lane, type TestClient } from '../server/clients.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { CHECKOUT, codeFile } from '../support/code.ts';
import { descendants, living, until } from './processes.ts';

export const MAIN = codeFile('src/main');
/** No test process lives longer than this, whatever happens to its test. */
export const PROCESS_BOUND_MS = 240_000;

/** An upstream server of an installed package, over stdio. */
export function packaged(name: 'everything' | 'filesystem' | 'memory', args: string[] = [], more: object = {}): object {
  const main = join(CHECKOUT, 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js');
  return { command: process.execPath, args: [main, ...args], ...more };
}

/** An upstream server of test/fixtures/upstreams. */
export function fixture(name: string, more: object = {}): object {
  return { command: process.execPath, args: [join(CHECKOUT, 'test', 'fixtures', 'upstreams', `${name}.ts`)], ...more };
}

/** A folder of its own, gone at the end of the scope. */
export async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-e2e-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A config file in a folder, with the suite's engine and a program cache of its own. Returns the file. */
export async function writeConfig(directory: string, config: object): Promise<string> {
  const cacheDir = join(directory, 'cache');
  await mkdir(cacheDir, { recursive: true });
  await symlink(join(inject('cacheDirectory'), 'engine'), join(cacheDir, 'engine')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const file = join(directory, 'ampoule.json');
  await writeFile(
    file,
    JSON.stringify({ cacheDir: 'cache', engine: inject('engineKind'), workers: 1, log: { format: 'json' }, ...config }),
  );
  return file;
}

export interface Answer {
  readonly output: ExecuteOutput;
  readonly content: CallAnswer['content'];
  /** The first content block. */
  readonly text: string;
  readonly isError: boolean;
}

/** What a call gave, after a look for anything of this machine in it. */
export function answerOf(answer: CallAnswer): Answer {
  const output = answer.structuredContent as unknown as ExecuteOutput;
  const whole = JSON.stringify(answer);
  for (const path of [tmpdir(), homedir(), CHECKOUT, '/src/', 'node_modules', 'host-functions/']) {
    if (path.length > 1) expect(whole).not.toContain(path);
  }
  return { output, content: answer.content, text: answer.content[0]?.text ?? '', isError: answer.isError === true };
}

export interface StartOptions {
  /** Arguments after `serve --config FILE`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where config, cache and wrappers are; its own temporary folder when absent. */
  readonly directory?: string;
}

/** Starts `ampoule serve` over HTTP and waits until it is ready. */
export async function startAmpoule(config: object, options: StartOptions = {}): Promise<Ampoule> {
  const own = options.directory === undefined ? await temporary() : undefined;
  const directory = options.directory ?? own?.path ?? '';
  const file = await writeConfig(directory, config);
  const child = spawnAmpoule(['serve', '--config', file, '--http', '127.0.0.1:0', ...(options.args ?? [])], options.env);
  const ampoule = new Ampoule(child, directory, own);
  await ampoule.ready();
  return ampoule;
}

/** The command line as a child process, with nothing of our environment but PATH. */
export function spawnAmpoule(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: PROCESS_BOUND_MS,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** A running server as a test sees it: from outside. */
export class Ampoule {
  readonly directory: string;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #own: AsyncDisposable | undefined;
  readonly #clients: TestClient[] = [];
  readonly #ended: Promise<number | null>;
  #client: Promise<TestClient> | undefined;

  constructor(child: ChildProcess, directory: string, own: AsyncDisposable | undefined) {
    this.#child = child;
    this.directory = directory;
    this.#own = own;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return /^ampoule ready (\S+)$/m.exec(this.stdout)?.[1] ?? '';
  }

  async ready(): Promise<void> {
    const gone = this.#ended.then((code) => Promise.reject(new Error(`ended with ${code} before it was ready: ${this.stderr}`)));
    gone.catch(() => undefined);
    await Promise.race([until('the server is ready', () => this.url !== '', 120_000), gone]);
  }

  /** A client of its own, closed with the server. */
  async connect(lane: Lane = 'v2 client, 2026-07-28'): Promise<TestClient> {
    const client = await connect(lane, { url: this.url });
    this.#clients.push(client);
    return client;
  }

  /** Calls execute_code from the one client that such calls share. */
  async execute(code: string, args: Record<string, unknown> = {}): Promise<Answer> {
    this.#client ??= this.connect();
    return answerOf(await (await this.#client).call({ code, ...args }));
  }

  /** The result of a program that has to complete. */
  async result(code: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const { output } = await this.execute(code, args);
    if (output.status !== 'completed') throw new Error(JSON.stringify(output.error));
    return output.result;
  }

  /** The process that programs run in. */
  executor(): number {
    const [found] = this.executors();
    if (found === undefined) throw new Error('the server has no executor process');
    return found;
  }

  /** All of them, those of old engines too. */
  executors(): number[] {
    return descendants(this.pid).flatMap(({ pid, command }) => (/executor.executor\.[jt]s/.test(command) ? [pid] : []));
  }

  /** Ends the server as a crash does. What it started has to end by itself. */
  async kill(): Promise<void> {
    const before = descendants(this.pid).map(({ pid }) => pid);
    this.#child.kill('SIGKILL');
    await this.#ended;
    await until('everything that the server started has ended', () => living(before).length === 0);
    await Promise.allSettled(this.#clients.map((client) => client.close()));
  }

  /** Ends the server with a signal. It has to end well, and everything that it started with it. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> {
    const before = descendants(this.pid).map(({ pid }) => pid);
    this.#child.kill(signal);
    const code = await this.#ended;
    await Promise.allSettled(this.#clients.map((client) => client.close()));
    await this.#own?.[Symbol.asyncDispose]();
    // oxlint-disable-next-line vitest/no-standalone-expect -- every test that starts a server ends it here
    expect({ code, stdout: this.stdout, survivors: living(before) }).toEqual({
      code: 0,
      stdout: `ampoule ready ${this.url}\n`,
      survivors: [],
    });
  }
}
