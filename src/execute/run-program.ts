import { createCallTable } from '../../host-functions/call-tool.ts';
import { createLog } from '../../host-functions/log.ts';
import type { EngineInstance } from './engine-instance.ts';
import { createHostFunctions } from './host-functions.ts';
import { endOfBrokenCall } from './guest-failure.ts';
import { readGuestStatus, statusBounds, type GuestStatus } from './guest-status.ts';
import { GuestStop } from './guest-stop.ts';
import { Mailbox } from './mailbox.ts';
import type { CallRecord, RunEnd, RunOutcome } from './run.ts';
import type { WorkerTask } from './worker-protocol.ts';

const PAGES_PER_MIB = 16;
const PAGE_BYTES = 65_536;

const NEVER_SETTLES: RunEnd = {
  status: 'failed',
  code: 'ERR_EXECUTE_NEVER_SETTLES',
  message: 'The program waits for something that can never happen: no tool call is running and no timer is set.',
};

const NOTHING_DONE: Omit<RunOutcome, 'end' | 'phases' | 'cache'> = {
  logs: [],
  droppedLogBytes: 0,
  calls: [],
  usage: { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 },
};

export interface FinishedRun {
  readonly outcome: Omit<RunOutcome, 'phases' | 'cache'>;
  /** Whether a call was stopped half way: the instance must be thrown away. */
  readonly broken: boolean;
}

/**
 * Runs a program once, in an instance whose memory is the program's image of `pages` pages. While the program waits, the
 * worker is free for other runs.
 */
export async function runProgram(
  instance: EngineInstance,
  pages: number,
  task: WorkerTask,
  mounts: ReadonlyMap<string, string>,
): Promise<FinishedRun> {
  const { limits, interrupt } = task;
  const maximumPages = limits.memoryMb * PAGES_PER_MIB;
  if (pages > maximumPages) return { outcome: { end: tooLargeToStart(pages, limits.memoryMb), ...NOTHING_DONE }, broken: false };
  const run = new ProgramRun(instance, task, mounts);
  const onSlice = (): void => task.port.slice();
  const mayGrow = (pages: number): boolean => task.port.mayGrow(pages);
  instance.meter.begin({ fuel: limits.fuel, pages, maximumPages, activeMs: limits.timeoutMs, interrupt, onSlice, mayGrow });
  try {
    const end = await run.toEnd();
    return { outcome: run.outcome(end), broken: run.broken };
  } finally {
    run.close();
  }
}

function tooLargeToStart(pages: number, memoryMb: number): RunEnd {
  return {
    status: 'failed',
    code: 'ERR_EXECUTE_MEMORY',
    message: `The program takes ${Math.ceil(pages / PAGES_PER_MIB)} MiB of memory before it starts; at most ${memoryMb} MiB are allowed.`,
    hint: 'Import less, or ask for a higher memoryMb.',
  };
}

class ProgramRun {
  readonly #instance: EngineInstance;
  readonly #task: WorkerTask;
  readonly #bounds: readonly number[];
  readonly #log;
  readonly #calls;
  readonly #mailbox: Mailbox;
  readonly #startedAt = performance.now();
  #waitingMs = 0;
  #largeResult: Uint8Array | undefined;
  /** True while an export call runs, and for ever when one does not return. */
  broken = false;

  constructor(instance: EngineInstance, task: WorkerTask, mounts: ReadonlyMap<string, string>) {
    const { limits, executionId, port } = task;
    this.#instance = instance;
    this.#task = task;
    this.#bounds = statusBounds(limits);
    this.#log = createLog(limits.maxLogBytes);
    this.#calls = createCallTable({
      maxToolCalls: limits.maxToolCalls,
      maxConcurrentToolCalls: limits.maxConcurrentToolCalls,
      maxToolArgumentBytes: limits.maxToolArgumentBytes,
      onHeld: (bytes) => instance.meter.holdBytes(bytes),
      send: (call) => port.postMessage({ type: 'call', call: { executionId, ...call } }),
      onLimit: () => {
        throw new GuestStop('ERR_EXECUTE_TOOL_CALLS', `The program began more than ${limits.maxToolCalls} tool calls.`);
      },
    });
    this.#mailbox = new Mailbox(port, ({ call, ok, code }) => this.#calls.settle(call, ok, code));
    instance.host = createHostFunctions(task, mounts, this.#calls, this.#log);
    port.hold(instance.memory, () => instance.meter.hostBytes + this.#log.keptBytes + this.#mailbox.largeBytes);
  }

  async toEnd(): Promise<RunEnd> {
    try {
      const { guest } = this.#instance;
      this.#call(() => guest.start(this.#task.input, this.#startOptions()));
      for (;;) {
        const status = this.#status();
        this.#largeResult = status.largeResult;
        if (status.end) return status.end;
        if (status.running === 0 && status.nextTimer === null) return NEVER_SETTLES;
        await this.#untilDue(status);
        const { calls, answers } = this.#mailbox.take();
        this.#call(() => guest.resume(this.#now(), calls, answers));
      }
    } catch (thrown) {
      return endOfBrokenCall(thrown, this.#instance);
    }
  }

  /** Sleeps until an answer is there or the program's earliest timer is due. Other runs of the worker have their turn. */
  async #untilDue({ nextTimer }: GuestStatus): Promise<void> {
    const { waitMs } = this.#task.limits;
    const from = performance.now();
    const waitedBefore = this.#waitingMs;
    for (;;) {
      const due = nextTimer === null ? Infinity : nextTimer - this.#now();
      const left = waitMs - this.#waitingMs;
      await this.#mailbox.wait(Math.min(due, left));
      this.#waitingMs = waitedBefore + performance.now() - from;
      if (this.#mailbox.hasAnswers || due <= 0) return;
      if (left <= 0) throw new GuestStop('ERR_EXECUTE_WAITING_TIME', `The program waited for more than ${waitMs} ms.`);
    }
  }

  #call<T>(call: () => T): T {
    this.broken = true;
    const value = this.#instance.meter.active(call);
    this.broken = false;
    return value;
  }

  #status(): GuestStatus {
    // A status that is not of the contract is a broken instance, too.
    return this.#call(() => readGuestStatus(this.#instance.guest.boundedStatus(this.#bounds), this.#task.limits));
  }

  #startOptions(): string {
    const { now, seed, limits } = this.#task;
    const { maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes } = limits;
    return JSON.stringify({ now, seed, maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes });
  }

  /** The run's clock: where it started, plus the time that has passed, in whole milliseconds. */
  #now(): number {
    return this.#task.now + Math.floor(performance.now() - this.#startedAt);
  }

  outcome(end: RunEnd): Omit<RunOutcome, 'phases' | 'cache'> {
    const { meter } = this.#instance;
    this.#warnOfUnfinishedCalls(end);
    // The codes are the gateway's own, checked when they came in.
    const calls = this.#calls.records() as CallRecord[];
    const logs = this.#log.bytes();
    const result = end.status === 'completed' ? this.#largeResult : undefined;
    return {
      end,
      logs: this.#log.entries,
      ...((result ?? logs) && { large: { ...(result && { result }), ...(logs && { logs }) } }),
      droppedLogBytes: this.#log.droppedBytes,
      calls,
      usage: {
        fuel: meter.fuelUsed,
        peakMemoryBytes: meter.pages * PAGE_BYTES,
        activeMs: meter.activeMs,
        waitingMs: this.#waitingMs,
        toolCalls: calls.length,
      },
    };
  }

  /** A call that nobody awaits is nearly always a forgotten `await`: the program would think that it was made. */
  #warnOfUnfinishedCalls(end: RunEnd): void {
    const { running } = this.#calls;
    if (end.status !== 'completed' || running === 0) return;
    const calls = running === 1 ? 'A tool call was' : `${running} tool calls were`;
    this.#log.append('warn', `${calls} still running when the program ended, and may not have been made. Await every call.`);
  }

  close(): void {
    this.#mailbox.close();
  }
}
