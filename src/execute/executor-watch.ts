import { mainThreadStatus, residentBytes, type ThreadStatus } from '../process-status.ts';

/** How often the process is looked at. */
const INTERVAL_MS = 200;
/** An answer that takes longer makes the process suspect. */
const SUSPECT_MS = 600;
/** Without an answer for so long it is hung, whatever else may be the reason. */
const LOST_MS = 10_000;
/** The same where nobody can tell what the process does. */
const BLIND_LOST_MS = 5_000;
/** From so much of the time on the thread computes, and does not only wait for a processor. */
const BUSY_SHARE = 0.6;
/** What the process may take to read what was sent to it, in bytes for each millisecond. */
const READ_RATE = 32_768;
/** A process is there so soon after its start, and its engine compiled so soon after it came. */
const START_MS = 30_000;

/** What is watched. */
export interface Watched {
  readonly pid: number | undefined;
  /** All bytes that have come from the process, and all that were written to it. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  ping(number: number): void;
  kill(reason: string): void;
}

/** A question without an answer yet. */
interface Asked {
  at: number;
  /** More time than usual, because much is to be read before the question. */
  readonly allowanceMs: number;
  received: number;
  /** The last time that it was sure to be no hang. */
  heardAt: number;
  /** Processor time of the thread at the first look since then. */
  mark: { readonly at: number; readonly cpuMs: number } | undefined;
  lastCpuMs: number;
  /** Looks one after the other at which the thread slept and had done nothing since the one before. */
  asleep: number;
}

/**
 * Looks after one executor process: it has to start in time, to answer in time, and to keep its memory within a bound; else it is
 * ended. Who does not answer is hung when its thread computes all the while, sleeps or is stopped. One that only waits for a
 * processor or a disk is on a busy machine, and gets ten seconds. So does one from which data still comes.
 */
export class ExecutorWatch {
  readonly #watched: Watched;
  readonly #maxMemoryBytes: number;
  readonly #startMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #hello: NodeJS.Timeout;
  #readiness: NodeJS.Timeout | undefined;
  #asked: Asked | undefined;
  #isReady = false;
  #ping = 0;
  #sentBefore = 0;
  #tickedAt = performance.now();
  #isLooking = false;

  constructor(watched: Watched, maxMemoryBytes: number, startMs = START_MS) {
    this.#watched = watched;
    this.#maxMemoryBytes = maxMemoryBytes;
    this.#startMs = startMs;
    this.#hello = this.#within(startMs, 'it did not start');
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
  }

  /** The process got what it needs to become ready. */
  initialized(): void {
    this.#readiness = this.#within(2 * this.#startMs, 'it did not get ready');
  }

  /** The process has said hello: what it needs may come later. */
  greeted(): void {
    clearTimeout(this.#hello);
  }

  /** The process answers from now on. */
  ready(): void {
    clearTimeout(this.#readiness);
    this.#isReady = true;
  }

  /** An answer has come. False when it was not asked for. */
  answered(ping: number): boolean {
    if (!this.#asked || ping !== this.#ping) return false;
    this.#asked = undefined;
    return true;
  }

  stop(): void {
    clearTimeout(this.#hello);
    clearTimeout(this.#readiness);
    clearInterval(this.#timer);
  }

  #within(ms: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => this.#watched.kill(`${reason} within ${ms / 1_000} seconds`), ms).unref();
  }

  #tick(): void {
    const now = performance.now();
    const late = now - this.#tickedAt - INTERVAL_MS;
    this.#tickedAt = now;
    // What has come meanwhile is read before anything is judged.
    setImmediate(() => void this.#look(late));
  }

  async #look(late: number): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#checkMemory();
      if (this.#isReady) await this.#checkAnswer(late);
    } finally {
      this.#isLooking = false;
    }
  }

  async #checkMemory(): Promise<void> {
    const bytes = await residentBytes(this.#watched.pid);
    if (bytes === undefined || bytes <= this.#maxMemoryBytes) return;
    const mib = (number: number): number => Math.round(number / 1_048_576);
    this.#watched.kill(`its memory grew to ${mib(bytes)} MiB, more than ${mib(this.#maxMemoryBytes)} MiB`);
  }

  async #checkAnswer(late: number): Promise<void> {
    const asked = this.#asked;
    if (!asked) return this.#ask();
    const status = await mainThreadStatus(this.#watched.pid);
    const now = performance.now();
    if (this.#asked !== asked) return undefined;
    const isLate = late > INTERVAL_MS;
    // Where this process was held up itself, the answer may be there, unread.
    if (isLate) asked.at += late;
    if (now - asked.at >= LOST_MS) return this.#watched.kill(`it did not answer for ${LOST_MS / 1_000} seconds`);
    const { bytesReceived } = this.#watched;
    if (isLate || bytesReceived !== asked.received) {
      Object.assign(asked, { received: bytesReceived, heardAt: now, mark: undefined, asleep: 0 });
    }
    const reason = status ? judge(asked, status, now) : undefined;
    if (now - asked.heardAt < SUSPECT_MS + asked.allowanceMs) return undefined;
    if (reason !== undefined) return this.#watched.kill(reason);
    if (!status && now - asked.heardAt >= BLIND_LOST_MS) this.#watched.kill('it does not answer');
    return undefined;
  }

  #ask(): void {
    const now = performance.now();
    const { bytesReceived, bytesSent } = this.#watched;
    const allowanceMs = (bytesSent - this.#sentBefore) / READ_RATE;
    this.#sentBefore = bytesSent;
    this.#ping++;
    this.#asked = { at: now, allowanceMs, received: bytesReceived, heardAt: now, mark: undefined, lastCpuMs: -1, asleep: 0 };
    this.#watched.ping(this.#ping);
  }
}

/** Why the thread looks hung, if it does. Notes what the next look has to know. */
function judge(asked: Asked, { state, cpuMs }: ThreadStatus, now: number): string | undefined {
  const isIdle = state !== 'R' && state !== 'D' && cpuMs === asked.lastCpuMs;
  asked.asleep = isIdle ? asked.asleep + 1 : 0;
  asked.lastCpuMs = cpuMs;
  asked.mark ??= { at: now, cpuMs };
  const since = now - asked.mark.at;
  if (state === 'T' || state === 't') return 'it was stopped';
  if (since > INTERVAL_MS && cpuMs - asked.mark.cpuMs >= since * BUSY_SHARE) return 'it computes and does not answer';
  // Without having done anything in between: nothing will wake it.
  return asked.asleep >= 3 ? 'it sleeps and does not answer' : undefined;
}
