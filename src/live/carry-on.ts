import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, toSandboxError } from '../errors.ts';
import type { ExecutionSummary, StoredExecution } from '../execution/execution-store.ts';
import { readRequest, requestOf } from './execution-record.ts';
import type { LiveExecution } from './live-execution.ts';
import { presentFailure } from '../result/present.ts';
import { writeAnswer } from '../result/stored-answer.ts';
import { recordUnrunEnd } from '../run/run-audit.ts';
import type { Call } from '../run/run-parts.ts';
import type { SandboxStages } from '../sandbox-stages.ts';

/** Executions that are on their way at one time. One that waits, or has ended, is not any more. */
const AT_ONCE = 32;
/** Records that are read at one time: each may be as long as `limits.maxRecordBytes`. */
const READ_AT_ONCE = 4;
/** When the records of those that are on their way have so many characters no further one is read. */
const ENOUGH_CHARS = 256 * 1024 * 1024;
/** One that computes for long does not keep the others waiting for longer, in milliseconds. */
const PATIENCE_MS = 5_000;
/** So often is one checked and bundled again that its server did not live to begin: it may be what ended it. One that has begun is counted by its run. */
const MAX_BEGINNINGS = 10;
const NEVER_BEGAN = 'The server ended each time that it was about to run the program. Nothing has run.';
/** How often it is looked for executions whose server has ended, in milliseconds. */
const LOOK_MS = 1_000;

export interface CarryOnOptions {
  readonly stages: SandboxStages;
  /** Carries one to its end. */
  readonly carry: (call: Call) => LiveExecution;
  /** Whether the API key of an id was revoked: what was begun with it ends. */
  readonly isRevoked?: ((credential: string) => boolean) | undefined;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly lookMs?: number;
}

/** Carries on with executions whose server has ended: at the start, and whenever another one of the group does. What fails about one stops no other. */
export class CarryOn {
  readonly #options: CarryOnOptions;
  readonly #closing = new AbortController();
  readonly #looking: Promise<void>;
  /** Those that could not be read: they are tried again. */
  #again: string[] = [];
  #inside = 0;
  #reading = 0;
  #chars = 0;
  #free = Promise.withResolvers<void>();
  #hasFailed = false;

  constructor(options: CarryOnOptions) {
    this.#options = options;
    this.#looking = this.#look();
  }

  /** Claims no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#free.resolve();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing;
    const { lookMs = LOOK_MS } = this.#options;
    while (!signal.aborted) {
      await this.#claim();
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #claim(): Promise<void> {
    const { stages, log } = this.#options;
    try {
      const claimed = (await stages.executions?.store.claim()) ?? [];
      this.#hasFailed = false;
      const ids = [...this.#again.splice(0), ...claimed];
      if (claimed.length > 0) log.info({ count: claimed.length }, 'Carrying on with executions of a server that has ended');
      for (const id of ids) {
        await this.#enter();
        if (this.#closing.signal.aborted) return;
        const size = { chars: 0 };
        void this.#carry(id, size).finally(() => this.#leave(size.chars));
      }
    } catch (err) {
      if (!this.#hasFailed && !this.#closing.signal.aborted) log.warn({ err }, 'It cannot be looked for executions to carry on with');
      this.#hasFailed = true;
    }
  }

  /** Never rejects. @param size of what was read, for as long as this goes on */
  async #carry(id: string, size: { chars: number }): Promise<void> {
    const { stages, carry, isRevoked, log } = this.#options;
    if (stages.live.has(id)) return;
    try {
      const stored = await this.#read(id, size);
      if (stored === undefined || stored.end !== undefined || (await this.#isLater(stored))) return;
      if (stored.start === undefined && (await this.#beginnings(id)) > MAX_BEGINNINGS) {
        return await this.#end(id, new SandboxError('ERR_EXECUTE_LOST', NEVER_BEGAN), callOf(stored));
      }
      const execution = carry(callOf(stored));
      if (execution.credential !== undefined && isRevoked?.(execution.credential) === true) execution.cancel();
      const over = new AbortController();
      const late = sleep(PATIENCE_MS, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
      await Promise.race([execution.settled, late]);
      over.abort();
    } catch (err) {
      log.warn({ executionId: id, err }, 'An execution cannot be carried on with');
      await this.#fail(id, toSandboxError(err));
    }
  }

  /**
   * A tool server that still connects answers no call, and nothing is known of its tools. A run that has called it waits for it, one that is still to be
   * checked for all, and holds up no other.
   */
  async #isLater({ id, start, calls }: StoredExecution): Promise<boolean> {
    const names = start && new Set(calls.map(({ server }) => server));
    const settled = this.#options.stages.upstreams.settled(this.#closing.signal, names).then(
      () => true,
      () => false,
    );
    if (await Promise.race([settled, nextTurn(false)])) return false;
    void settled.then((isSettled) => isSettled && this.#again.push(id));
    return true;
  }

  /** What is not as it was written ends with an answer that says so; everything else is tried again. */
  async #fail(id: string, error: SandboxError): Promise<void> {
    if (error.code !== 'ERR_EXECUTION_DAMAGED') return void this.#again.push(id);
    await this.#end(id, error);
  }

  /** This one included. What cannot be written down is not counted. */
  async #beginnings(id: string): Promise<number> {
    return (await this.#options.stages.executions?.store.restarted(id).catch(() => 0)) ?? 0;
  }

  /** Without its being run. @param call absent where it cannot be read */
  async #end(id: string, error: SandboxError, call?: Call): Promise<void> {
    const { executions, audit } = this.#options.stages;
    const usage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
    const response = writeAnswer(presentFailure({ executionId: id, error }));
    const summary = call === undefined ? await this.#summary(id) : undefined;
    try {
      await executions?.store.ended(id, { status: 'failed', code: error.code, usage, response });
      recordUnrunEnd(audit, { executionId: id, code: error.code, call, summary });
    } catch (err) {
      this.#options.log.warn({ executionId: id, err }, 'The end of an execution could not be kept');
    }
  }

  /** The line in the list of one that cannot be read otherwise. */
  async #summary(id: string): Promise<ExecutionSummary | undefined> {
    const unfinished = await this.#options.stages.executions?.store.list({ status: ['running', 'waiting'] }).catch(() => []);
    return unfinished?.find((one) => one.id === id);
  }

  async #read(id: string, size: { chars: number }): Promise<StoredExecution | undefined> {
    this.#reading++;
    try {
      const stored = await this.#options.stages.executions?.store.read(id);
      this.#chars += size.chars = stored === undefined ? 0 : charsOf(stored);
      return stored;
    } finally {
      this.#reading--;
      this.#tellFree();
    }
  }

  async #enter(): Promise<void> {
    const isFull = (): boolean => this.#inside >= AT_ONCE || this.#reading >= READ_AT_ONCE || this.#chars >= ENOUGH_CHARS;
    while (isFull() && !this.#closing.signal.aborted) await this.#free.promise;
    this.#inside++;
  }

  #leave(chars: number): void {
    this.#inside--;
    this.#chars -= chars;
    this.#tellFree();
  }

  #tellFree(): void {
    this.#free.resolve();
    this.#free = Promise.withResolvers();
  }
}

/** What of a record is long. */
function charsOf({ calls, request, start }: StoredExecution): number {
  let chars = request.length + (start === undefined ? 0 : start.script.length + start.input.length + start.state.length);
  for (const { arguments: given, answer } of calls) chars += given.length + (answer?.ok === true ? answer.value.length : 0);
  return chars;
}

/** What is stored, as a call. @throws SandboxError ERR_EXECUTION_DAMAGED */
function callOf(stored: StoredExecution): Call {
  const { id, principal, createdAt, request: text } = stored;
  const request = readRequest(text);
  const { grant, credential, form } = request;
  return { executionId: id, createdAt, stored, request: requestOf(request), options: { principal, grant, credential, form } };
}
