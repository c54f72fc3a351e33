import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { InstrumentAnswer, InstrumentQuestion } from './instrument-protocol.ts';
import { descendants, living, type ProcessEntry } from './process-table.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'src', 'main.ts');
const INSTRUMENT = fileURLToPath(new URL('./instrument.ts', import.meta.url));
const START_MS = 60_000;
const END_MS = 15_000;
const ANSWER_MS = 10_000;
const POLL_MS = 20;
const STDERR_KEPT = 4_000_000;

/** A folder of its own for a server: config, cache, wrappers, and what it takes for the folder of temporary files. */
export interface ServerFolder extends AsyncDisposable {
  readonly path: string;
  readonly temporary: string;
  readonly cache: string;
}

/** Makes a folder whose cache has the built engine of the checkout, and nothing else. */
export async function makeServerFolder(config: object): Promise<ServerFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-reliability-')));
  const [temporary, cache] = [join(path, 'tmp'), join(path, 'cache')];
  await mkdir(temporary);
  await mkdir(cache);
  // A fresh checkout has none yet: the first server builds it there.
  await mkdir(join(ROOT, '.cache', 'engine'), { recursive: true });
  await symlink(join(ROOT, '.cache', 'engine'), join(cache, 'engine'));
  await writeFile(join(path, 'ampoule.json'), JSON.stringify({ cacheDir: 'cache', log: { level: 'warn', format: 'json' }, ...config }));
  return { path, temporary, cache, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Files below a folder, by path from it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() || entry.isSocket())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** How a server came to its end. */
export interface ServerEnd {
  readonly code: number | null;
  readonly ms: number;
  readonly left: readonly ProcessEntry[];
}

/** A real `ampoule serve` in a process of its own. */
export class ServerUnderTest {
  readonly child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #seen = new Map<string, ProcessEntry>();
  readonly #asked = new Map<number, (answer: InstrumentAnswer) => void>();
  #stdout = '';
  #stderr = '';
  #questions = 0;

  constructor(folder: ServerFolder, way: 'http' | 'stdio') {
    const args = way === 'http' ? ['--http', '127.0.0.1:0'] : ['--stdio'];
    const node = ['--expose-gc', '--import', INSTRUMENT, MAIN];
    this.child = spawn(process.execPath, [...node, 'serve', '--config', join(folder.path, 'ampoule.json'), ...args], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'] ?? '', TMPDIR: folder.temporary },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    this.#ended = once(this.child, 'close').then(([code]) => code as number | null);
    if (way === 'http') this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT)));
    this.child.on('message', (answer: InstrumentAnswer) => this.#asked.get(answer.id)?.(answer));
    // A process that has ended cannot be told anything; its end is seen elsewhere.
    this.child.on('error', () => undefined);
    this.child.stdin?.on('error', () => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get url(): string {
    return /^ampoule ready (\S+)$/m.exec(this.#stdout)?.[1] ?? '';
  }

  /** What the server wrote to its log, the last of it. */
  get log(): string {
    return this.#stderr;
  }

  /** Resolves when it serves over HTTP. @throws Error when it does not in time */
  async ready(): Promise<void> {
    const end = performance.now() + START_MS;
    while (this.url === '') {
      if (this.hasEnded || performance.now() > end) throw new Error(`The server did not get ready:\n${this.#stderr}`);
      await sleep(POLL_MS);
    }
  }

  /** Everything that it has started and that runs now. */
  processes(): ProcessEntry[] {
    const now = descendants(this.pid);
    for (const entry of now) this.#seen.set(`${entry.pid} ${entry.began}`, entry);
    return now;
  }

  /** @throws Error when the gateway does not answer in time */
  async figures(): Promise<InstrumentAnswer> {
    const id = this.#questions++;
    const { promise, resolve, reject } = Promise.withResolvers<InstrumentAnswer>();
    this.#asked.set(id, resolve);
    const timer = setTimeout(() => reject(new Error('The gateway does not answer over its channel.')), ANSWER_MS);
    this.#tell({ ask: 'figures', id });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#asked.delete(id);
    });
  }

  /** Asks for its end, by signal or by closing its input, and tells what is left of all that it ever started. */
  async end(how: 'SIGTERM' | 'stdin'): Promise<ServerEnd> {
    this.processes();
    const began = performance.now();
    if (how === 'stdin') this.child.stdin?.end();
    else if (!this.child.killed) this.child.kill(how);
    const late = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    const code = await this.#ended;
    clearTimeout(late);
    return { code, ms: performance.now() - began, left: living(this.#seen.values()) };
  }

  #tell(question: InstrumentQuestion): boolean {
    return this.child.connected && this.child.send(question, () => undefined);
  }
}
