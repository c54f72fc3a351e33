import { SandboxError } from '../errors.ts';
import { failed, type Outcome, ScanChild } from './scan-child.ts';
import type { Edit, Found, ModuleScan, ScanRequest, ScanResult, Unreadable } from './scan-result.ts';

const MAX_CHILDREN = 2;

interface Task extends ScanRequest {
  readonly budgetMs: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Processes that parse agents' texts, so that a text made to be slow or large costs its own process and no other work. */
export class Scanner implements AsyncDisposable {
  readonly #idle: ScanChild[] = [];
  readonly #busy = new Set<ScanChild>();
  readonly #queue: Task[] = [];

  /**
   * @param budgetMs - how long the parser may take before its process is ended.
   * @throws SandboxError ERR_BUNDLE_FAILED when it took longer or the process died.
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

  /** Starts a process before anybody waits for one. */
  warm(): void {
    if (this.#idle.length + this.#busy.size === 0) this.#idle.push(new ScanChild());
  }

  /** Resolves when all its processes have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = failed('The bundler is closed.');
    for (const task of this.#queue.splice(0)) task.settle(reason);
    await Promise.all([...this.#idle.splice(0), ...this.#busy].map((child) => child.close(reason)));
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
    if (this.#busy.size >= MAX_CHILDREN) return;
    const task = this.#queue.shift();
    if (task === undefined) return;
    try {
      const child = this.#takeIdle() ?? new ScanChild();
      this.#busy.add(child);
      void this.#run(child, task);
    } catch (cause) {
      // The machine has no memory or process left: it may have one for the next.
      task.settle(failed('The parser could not be started.', cause));
      this.#next();
    }
  }

  #takeIdle(): ScanChild | undefined {
    let child = this.#idle.pop();
    while (child?.ended === true) child = this.#idle.pop();
    return child;
  }

  async #run(child: ScanChild, task: Task): Promise<void> {
    const outcome = await child.ask(task, task.budgetMs);
    this.#busy.delete(child);
    if (!child.ended) this.#idle.push(child);
    task.settle(outcome);
    this.#next();
  }
}
