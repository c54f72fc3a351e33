import { Worker } from 'node:worker_threads';
import { SandboxError } from '../errors.ts';
import type { Edit, ModuleScan, RegExpPort, ScanRequest, ScanResult, Unreadable } from './scan-result.ts';

const MAX_THREADS = 2;
const MAX_HEAP_MB = 512;
const START_MS = 10_000;
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js', import.meta.url);

type Found = ScanResult | ModuleScan | RegExpPort;
type Outcome = Found | SandboxError;

interface Task extends ScanRequest {
  readonly budgetMs: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Threads that parse agents' texts, so that a text made to be slow or large costs its own thread and no other work. */
export class Scanner implements Disposable {
  readonly #idle: ScanThread[] = [];
  readonly #busy = new Set<ScanThread>();
  readonly #queue: Task[] = [];

  /**
   * @param budgetMs - how long the parser may take before its thread is ended.
   * @throws SandboxError ERR_BUNDLE_FAILED when it took longer or the thread died.
   */
  async scan(text: string, budgetMs: number): Promise<ScanResult> {
    const found = await this.#ask({ text, form: 'program' }, budgetMs);
    if (found.kind === 'module' || found.kind === 'port') throw failed('The parser took the program for something else.');
    return found;
  }

  /** As {@link scan}, for a text that others are to import. */
  async scanModule(text: string, budgetMs: number): Promise<ModuleScan | Unreadable> {
    const found = await this.#ask({ text, form: 'module' }, budgetMs);
    if (found.kind === 'scan' || found.kind === 'port') throw failed('The parser took the module for something else.');
    return found;
  }

  /** What to put in the place of regular expressions of a finished script, for an engine that cannot load them. Throws as {@link scan} does. */
  async portRegExps(script: string, budgetMs: number): Promise<readonly Edit[]> {
    const found = await this.#ask({ text: script, form: 'script' }, budgetMs);
    return found.kind === 'port' ? found.edits : [];
  }

  /** Starts a thread before anybody waits for one. */
  warm(): void {
    if (this.#idle.length + this.#busy.size === 0) this.#idle.push(new ScanThread());
  }

  [Symbol.dispose](): void {
    for (const task of this.#queue.splice(0)) task.settle(failed('The bundler is closed.'));
    for (const thread of [...this.#idle.splice(0), ...this.#busy]) thread.end(failed('The bundler is closed.'));
  }

  async #ask(request: ScanRequest, budgetMs: number): Promise<Found> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#queue.push({ ...request, budgetMs, settle: resolve });
    this.#next();
    const outcome = await promise;
    if (outcome instanceof SandboxError) throw outcome;
    return outcome;
  }

  #next(): void {
    if (this.#busy.size >= MAX_THREADS) return;
    const task = this.#queue.shift();
    if (task === undefined) return;
    let thread = this.#idle.pop();
    while (thread?.ended === true) thread = this.#idle.pop();
    thread ??= new ScanThread();
    this.#busy.add(thread);
    void this.#run(thread, task);
  }

  async #run(thread: ScanThread, task: Task): Promise<void> {
    const outcome = await thread.ask(task, task.budgetMs);
    this.#busy.delete(thread);
    if (!thread.ended) this.#idle.push(thread);
    task.settle(outcome);
    this.#next();
  }
}

/** One thread, which answers one text at a time. It does not keep the process alive while it has nothing to do. */
class ScanThread {
  readonly #worker = new Worker(ENTRY, {
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, stackSizeMb: 4 },
  });
  readonly #ready = Promise.withResolvers<void>();
  #settle: (outcome: Outcome) => void = () => undefined;
  ended = false;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (message: Found | 'ready') => (message === 'ready' ? this.#ready.resolve() : this.#settle(message)));
    this.#worker.on('error', (cause) => this.end(failed('The parser failed on this code.', cause)));
    this.#worker.on('exit', () => this.end(failed('The parser ended in the middle of this code.')));
  }

  async ask({ text, form }: ScanRequest, budgetMs: number): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#settle = resolve;
    this.#worker.ref();
    let timer = setTimeout(() => this.end(failed('The parser did not start.')), START_MS);
    try {
      // The start of a thread on a busy machine is not the fault of the text.
      await Promise.race([this.#ready.promise, promise]);
      clearTimeout(timer);
      timer = setTimeout(() => this.end(failed(`Parsing the code took longer than ${Math.round(budgetMs)} ms.`)), budgetMs);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage({ text, form });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#worker.unref();
    }
  }

  /** Ends the thread; the text that it works on gets `reason` for an answer. */
  end(reason: SandboxError): void {
    this.#settle(reason);
    if (this.ended) return;
    this.ended = true;
    void this.#worker.terminate();
  }
}

function failed(message: string, cause?: unknown): SandboxError {
  return new SandboxError('ERR_BUNDLE_FAILED', message, { hint: 'Write the code in a plainer or shorter way.', cause });
}
