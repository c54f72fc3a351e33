import { Worker } from 'node:worker_threads';
import { SandboxError } from '../errors.ts';
import type { ScanResult } from './scan-result.ts';

const MAX_THREADS = 2;
const MAX_HEAP_MB = 512;
const START_MS = 10_000;
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js', import.meta.url);

type Outcome = ScanResult | SandboxError;

interface Task {
  readonly text: string;
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
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#queue.push({ text, budgetMs, settle: resolve });
    this.#next();
    const outcome = await promise;
    if (outcome instanceof SandboxError) throw outcome;
    return outcome;
  }

  /** Starts a thread before anybody waits for one. */
  warm(): void {
    if (this.#idle.length + this.#busy.size === 0) this.#idle.push(new ScanThread());
  }

  [Symbol.dispose](): void {
    for (const task of this.#queue.splice(0)) task.settle(failed('The bundler is closed.'));
    for (const thread of [...this.#idle.splice(0), ...this.#busy]) thread.end(failed('The bundler is closed.'));
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
    const outcome = await thread.ask(task.text, task.budgetMs);
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
    this.#worker.on('message', (message: ScanResult | 'ready') => (message === 'ready' ? this.#ready.resolve() : this.#settle(message)));
    this.#worker.on('error', (cause) => this.end(failed('The parser failed on this code.', cause)));
    this.#worker.on('exit', () => this.end(failed('The parser ended in the middle of this code.')));
  }

  async ask(text: string, budgetMs: number): Promise<Outcome> {
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
      this.#worker.postMessage(text);
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
