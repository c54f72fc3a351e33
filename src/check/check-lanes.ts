import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';
import { FairQueue } from '../fair-queue.ts';
import { MemoryWatch } from '../memory-watch.ts';
import { CheckProcess, type ProcessSetup } from './check-process.ts';

const MAX_LANES = 2;
/** A check that waits longer than this gets a second process: the first may have met a type bomb. */
const PATIENCE_MS = 50;
const START_MS = 10_000;
const CLOSE_MS = 2000;

type Work<T> = (process: CheckProcess) => Promise<T>;

interface Waiting {
  readonly begin: (lane: Lane) => void;
  readonly fail: (reason: unknown) => void;
}

interface Lane {
  process: CheckProcess | undefined;
}

/** One checker process, a second while the first is held up; one program at a time in each, each bounded in time. */
export class CheckLanes {
  readonly #setup: () => ProcessSetup;
  readonly #timeoutMs: number;
  readonly #idle: Lane[] = [];
  readonly #queue = new FairQueue<Waiting>();
  readonly #processes = new Set<CheckProcess>();
  #lanes = 0;
  #closed = false;

  /** @param setup - what a process is made of; asked at its start, and what it throws is a failure of the check */
  constructor(setup: () => ProcessSetup, timeoutMs: number) {
    this.#setup = setup;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs the work on a process of its own for as long as it takes; once more on a fresh one when that ends. Everybody who waits has a turn.
   * @param owner whose work it is
   * @throws SandboxError ERR_CHECK_TIMEOUT, ERR_CHECK_FAILED
   * @throws the signal's reason, at once; the work then ends on its own
   */
  async run<T>(work: Work<T>, signal: AbortSignal, owner = ''): Promise<T> {
    const outcome = this.#enter(signal, owner).then((lane) => this.#runIn(lane, work));
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([outcome, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Ends all processes, and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { fail } of this.#queue.drain()) fail(closedError());
    const exits = [...this.#processes].map((process) => {
      process.kill(closedError());
      return process.exited;
    });
    await Promise.race([Promise.all(exits), sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  async #enter(signal: AbortSignal, owner: string): Promise<Lane> {
    if (this.#closed) throw closedError();
    const lane = this.#idle.pop() ?? (this.#lanes === 0 ? this.#newLane() : undefined);
    if (lane !== undefined) return lane;
    const { promise, resolve, reject } = Promise.withResolvers<Lane>();
    const waiting: Waiting = { begin: resolve, fail: reject };
    this.#queue.push(owner, waiting);
    const leave = (): void => this.#leave(owner, waiting, signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const impatient = setTimeout(() => this.#widen(), PATIENCE_MS);
    return promise.finally(() => {
      clearTimeout(impatient);
      signal.removeEventListener('abort', leave);
    });
  }

  #leave(owner: string, waiting: Waiting, reason: unknown): void {
    this.#queue.remove(owner, waiting);
    waiting.fail(reason);
  }

  #newLane(): Lane {
    this.#lanes += 1;
    return { process: undefined };
  }

  #widen(): void {
    if (this.#lanes < MAX_LANES && this.#queue.length > 0) this.#queue.shift()?.begin(this.#newLane());
  }

  async #runIn<T>(lane: Lane, work: Work<T>): Promise<T> {
    try {
      return await this.#attempt(lane, work, true);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#idle.push(lane);
      else next.begin(lane);
    }
  }

  async #attempt<T>(lane: Lane, work: Work<T>, mayRetry: boolean): Promise<T> {
    const process = await this.#processOf(lane);
    const watch = new MemoryWatch(process.pid);
    const late = setTimeout(() => process.kill(tooLong(this.#timeoutMs)), this.#timeoutMs);
    watch.onTooMuch = () => process.kill(tooMuch());
    try {
      return await work(process);
    } catch (thrown) {
      process.kill(thrown instanceof Error ? thrown : new Error(String(thrown)));
      if (thrown instanceof SandboxError) throw thrown;
      if (mayRetry) return await this.#attempt(lane, work, false);
      throw failed(thrown);
    } finally {
      clearTimeout(late);
      watch[Symbol.dispose]();
    }
  }

  /** The lane's process, or a fresh one that has begun to answer: its start is not the program's fault. */
  async #processOf(lane: Lane): Promise<CheckProcess> {
    if (this.#closed) throw closedError();
    if (lane.process?.worn === true) lane.process.kill(new Error('worn'));
    const process = lane.process?.ended === false ? lane.process : this.#start();
    lane.process = process;
    const late = setTimeout(() => process.kill(new Error('the type checker did not start')), START_MS);
    try {
      await process.ready();
    } catch (thrown) {
      throw this.#closed ? closedError() : failed(thrown);
    } finally {
      clearTimeout(late);
    }
    return process;
  }

  #start(): CheckProcess {
    let process: CheckProcess;
    try {
      process = new CheckProcess(this.#setup());
    } catch (thrown) {
      throw failed(thrown);
    }
    this.#processes.add(process);
    void process.exited.then(() => this.#processes.delete(process));
    return process;
  }
}

function closedError(): SandboxError {
  return new SandboxError('ERR_CHECK_FAILED', 'The type checker is closed.');
}

function failed(cause: unknown): SandboxError {
  return new SandboxError('ERR_CHECK_FAILED', 'The type checker failed on this code.', { cause });
}

function tooLong(timeoutMs: number): SandboxError {
  return new SandboxError('ERR_CHECK_TIMEOUT', `Checking the types of the code took longer than ${timeoutMs} ms.`);
}

function tooMuch(): SandboxError {
  return new SandboxError('ERR_CHECK_TIMEOUT', 'Checking the types of the code took more memory than there is for it.');
}
