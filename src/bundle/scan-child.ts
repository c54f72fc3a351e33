import { type ChildProcess, fork } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandboxError } from '../errors.ts';
import { parserFlags } from './parser-flags.ts';
import type { Found, ScanRequest } from './scan-result.ts';

const START_MS = 10_000;
const ENTRY = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './scan-process.ts' : './scan-process.js', import.meta.url));

export type Outcome = Found | SandboxError;

/**
 * One process that parses, with an empty environment and no handle but its channel: one text at a time. It does not keep this process
 * alive while it has nothing to do, and ends with it.
 */
export class ScanChild {
  readonly #process: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  #settle: (outcome: Outcome) => void = () => undefined;
  #ended = false;

  constructor() {
    this.#process = fork(ENTRY, [], {
      env: {},
      // A thread with flags of its own may always read the working directory: one that it may read anyhow.
      cwd: dirname(ENTRY),
      execArgv: [...parserFlags()],
      // What V8 says at the end of its memory would be the agent's way into the operator's log.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.unref();
    this.#process.channel?.unref();
    this.#process.on('message', (message: Found | 'ready') => (message === 'ready' ? this.#ready.resolve() : this.#settle(message)));
    this.#process.on('error', (cause) => this.#lost(cause));
    this.#process.once('exit', (code, signal) => this.#lost(new Error(signal ?? `exit code ${code}`)));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @param budgetMs - how long it may take from when the process is there: that it starts slowly on a busy machine is not the text's fault. */
  async ask({ text, form }: ScanRequest, budgetMs: number): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#settle = resolve;
    this.#process.channel?.ref();
    let timer = setTimeout(() => this.end(failed('The parser did not start.')), START_MS);
    try {
      await Promise.race([this.#ready.promise, promise]);
      clearTimeout(timer);
      timer = setTimeout(() => this.end(failed(`Parsing the code took longer than ${Math.round(budgetMs)} ms.`)), budgetMs);
      // That it could not be sent is said by the end of the process.
      if (!this.#ended) this.#process.send({ text, form }, () => undefined);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#process.channel?.unref();
    }
  }

  /** Ends the process; the text that it works on gets `reason` for an answer. */
  end(reason: SandboxError): void {
    this.#settle(reason);
    this.#ended = true;
    this.#process.kill('SIGKILL');
  }

  /** As {@link end}. Resolves when there is no such process any more. */
  async close(reason: SandboxError): Promise<void> {
    this.end(reason);
    this.#process.ref();
    await this.#exited.promise;
  }

  #lost(cause: Error): void {
    this.end(failed('The parser ended in the middle of this code.', cause));
    this.#exited.resolve();
  }
}

export function failed(message: string, cause?: unknown): SandboxError {
  return new SandboxError('ERR_BUNDLE_FAILED', message, { hint: 'Write the code in a plainer or shorter way.', cause });
}
