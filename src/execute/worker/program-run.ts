import { createCallTable, type CallTable, type OutgoingCall } from '../../../host-functions/call-tool.ts';
import { createLog, type Log } from '../../../host-functions/log.ts';
import { SandboxError } from '../../errors.ts';
import { endOfBrokenCall } from './guest-failure.ts';
import { readGuestStatus, statusBounds, type GuestStatus } from './guest-status.ts';
import { GuestStop } from './guest-stop.ts';
import { createHostFunctions } from './host-functions.ts';
import { Mailbox, type Accepted, type Delivery } from './mailbox.ts';
import { RunClock } from './run-clock.ts';
import type { RunPlace } from './run-place.ts';
import type { RunState } from './run-state.ts';
import { RunWaits } from './run-waits.ts';
import type { CallRecord, HibernatedRun, RunEnd, RunOutcome, RunStep, RunUsage, ToolCall } from '../run.ts';
import { ScriptedSteps } from './scripted-steps.ts';
import { awayMs, putAway } from './sleeping-run.ts';
import type { AnswerMessage, WorkerTask } from '../worker-protocol.ts';

const PAGES_PER_MIB = 16;
const PAGE_BYTES = 65_536;

/** Packing all of a large memory takes time. */
const TRY_AGAIN_MS = 30_000;

const NEVER_SETTLES: RunEnd = {
  status: 'failed',
  code: 'ERR_EXECUTE_NEVER_SETTLES',
  message: 'The program waits for something that can never happen: no tool call is running and no timer is set.',
};

/** What a guest is given by one `resume`. */
interface Given extends Delivery {
  readonly now: number;
}

/** One run in its instance, from its start or from where it was put away. */
export class ProgramRun {
  readonly #place: RunPlace;
  readonly #task: WorkerTask;
  readonly #from: RunState | undefined;
  readonly #bounds: readonly number[];
  readonly #log: Log;
  readonly #calls: CallTable;
  readonly #mailbox: Mailbox;
  readonly #clock: RunClock;
  readonly #waits: RunWaits;
  readonly #script: ScriptedSteps;
  /** The clock of a run that is given its steps again, were it past them. */
  readonly #later: RunClock;
  readonly #isAgain: boolean;
  #isLive: boolean;
  /** The clock of the last step, and how many there were. */
  #givenAt: number;
  #steps = 0;
  /** When it was found too long to leave. */
  #triedAt = -Infinity;
  #largeResult: Uint8Array | undefined;
  /** True while an export call runs, and for ever when one does not return. */
  broken = false;

  constructor(place: RunPlace, task: WorkerTask, from: RunState | undefined) {
    const { limits, port } = task;
    const { instance } = place;
    this.#place = place;
    this.#task = task;
    this.#from = from;
    this.#bounds = statusBounds(limits);
    this.#clock = clockOf(task, from);
    const history = task.from?.kind === 'history' ? task.from : undefined;
    this.#script = new ScriptedSteps(history?.steps ?? [], task.now);
    this.#later = new RunClock(history?.now ?? task.now);
    this.#isAgain = history !== undefined;
    this.#isLive = !this.#isAgain;
    this.#givenAt = task.now;
    this.#log = createLog(limits.maxLogBytes, from?.log);
    this.#calls = this.#createCalls();
    this.#mailbox = new Mailbox(port, (answer) => this.#accept(answer));
    this.#waits = new RunWaits(this.#mailbox, this.#clock, {
      waitMs: limits.waitMs,
      rules: task.hibernation,
      waitedMs: from ? from.waitingMs + awayMs(from.now, from.status.nextTimer, this.#clock.now()) : 0,
      isWoken: from !== undefined,
    });
    instance.host = createHostFunctions(task, place.mounts, this.#calls, this.#log);
    this.#beginMeter();
    port.hold(instance.memory, () => instance.meter.hostBytes + this.#log.keptBytes + this.#mailbox.largeBytes);
    if (from) port.awaitCalls(this.#calls.pending());
  }

  #createCalls(): CallTable {
    const { limits, executionId, port } = this.#task;
    const options = {
      maxToolCalls: limits.maxToolCalls,
      maxConcurrentToolCalls: limits.maxConcurrentToolCalls,
      maxToolArgumentBytes: limits.maxToolArgumentBytes,
      onHeld: (bytes: number): void => this.#place.instance.meter.holdBytes(bytes),
      send: (call: OutgoingCall): void => port.postMessage({ type: 'call', call: { executionId, ...call, ...this.#where() } }),
      onLimit: (): never => {
        throw new GuestStop('ERR_EXECUTE_TOOL_CALLS', `The program began more than ${limits.maxToolCalls} tool calls.`);
      },
    };
    // Time in which the run was away its calls were on their way.
    const away = this.#from ? this.#clock.now() - this.#from.now : 0;
    return createCallTable(
      options,
      this.#from?.calls.map((call) => ({ ...call, ageMs: call.ageMs + away })),
    );
  }

  #beginMeter(): void {
    const { limits, interrupt, port } = this.#task;
    const { instance, image } = this.#place;
    const budget = { fuel: limits.fuel, pages: image.pages, maximumPages: limits.memoryMb * PAGES_PER_MIB, activeMs: limits.timeoutMs };
    const onSlice = (): void => port.slice();
    const mayGrow = (pages: number): boolean => port.mayGrow(pages);
    instance.meter.begin({ ...budget, interrupt, onSlice, mayGrow }, this.#from?.meter);
  }

  /** Where a run is that is given its steps again. */
  #where(): Pick<ToolCall, 'at' | 'fuel' | 'step'> | undefined {
    if (!this.#isAgain) return undefined;
    return { at: this.#givenAt, fuel: this.#place.instance.meter.fuelUsed, step: this.#steps };
  }

  /** An answer that comes before its step has no effect until then: not even its call's arguments count as gone. */
  #accept({ call, ok, code }: AnswerMessage): Accepted {
    if (!this.#script.takes(call)) return this.#calls.isRunning(call) ? 'later' : 'never';
    return this.#calls.settle(call, ok, code) ? 'now' : 'never';
  }

  /** @returns how it ended, or that it left its instance */
  async toEnd(): Promise<RunEnd | HibernatedRun> {
    try {
      let status: GuestStatus = this.#from ? { ...this.#from.status, end: null } : this.#start();
      for (;;) {
        const end = this.#endOf(status);
        if (end) return end;
        const given = await this.#untilGiven(status);
        if ('status' in given) return given;
        status = this.#resume(given);
      }
    } catch (thrown) {
      if (thrown instanceof SandboxError) return { status: 'failed', code: thrown.code, message: thrown.message };
      return endOfBrokenCall(thrown, this.#place.instance);
    }
  }

  #start(): GuestStatus {
    this.#call(() => this.#place.instance.guest.start(this.#task.input, this.#startOptions()));
    return this.#status();
  }

  #resume({ now, calls, answers }: Given): GuestStatus {
    this.#givenAt = now;
    this.#steps++;
    this.#call(() => this.#place.instance.guest.resume(now, calls, answers));
    return this.#status();
  }

  #endOf(status: GuestStatus): RunEnd | undefined {
    this.#largeResult = status.largeResult;
    const isIdle = status.running === 0 && status.nextTimer === null;
    const end = status.end ?? (isIdle ? NEVER_SETTLES : undefined);
    if (end && this.#script.current) throw this.#script.ended(end.status === 'failed' ? `failed with ${end.code}` : end.status);
    return end;
  }

  /** Until there is something to go on with, or the run has left. */
  async #untilGiven(status: GuestStatus): Promise<Given | HibernatedRun> {
    const { nextTimer } = status;
    const step = this.#script.current;
    if (step) return this.#untilStep(step, nextTimer);
    if (!this.#isLive) this.#goLive(nextTimer);
    while ((await this.#waits.untilDue(nextTimer, this.#calls.running > 0)) === 'leave') {
      const left = this.#leave(status);
      if (left) return left;
      this.#waits.stay();
      this.#task.port.cannotLeave(nextTimer);
    }
    const given = { now: this.#clock.now(), ...this.#mailbox.take() };
    this.#task.port.recordStep([given.now, ...given.calls]);
    return given;
  }

  /** What the run was given before it is given again; nobody has to be told of it a second time. */
  async #untilStep(step: RunStep, nextTimer: number | null): Promise<Given> {
    const [now, ...calls] = step;
    this.#script.check(nextTimer, (call) => this.#calls.isRunning(call));
    this.#mailbox.offerEarly();
    await this.#waits.untilAnswered(calls.length);
    const delivery = this.#mailbox.take(calls);
    this.#script.advance();
    return { now, ...delivery };
  }

  /** All that the run was given before it has been given again: from now on time goes on, from where it would be by now. */
  #goLive(nextTimer: number | null): void {
    const { lastAt } = this.#script;
    this.#isLive = true;
    this.#clock.moveTo(Math.max(lastAt, this.#later.now()));
    const waited = lastAt - this.#task.now - this.#place.instance.meter.activeMs;
    this.#waits.raiseTo(waited + awayMs(lastAt, nextTimer, this.#clock.now()));
    this.#mailbox.offerEarly();
  }

  /** The run as it is between two calls, put away; undefined when that is too long to be stored. */
  #leave({ running, nextTimer }: GuestStatus): HibernatedRun | undefined {
    const { meter } = this.#place.instance;
    const state: RunState = {
      now: this.#clock.now(),
      status: { running, nextTimer },
      waitingMs: this.#waits.waitedMs,
      meter: meter.snapshot(),
      calls: this.#calls.snapshot(),
      log: this.#log.snapshot(),
      spent: this.#place.spent(),
    };
    const image = this.#mayTry ? putAway(this.#place, this.#task, state) : undefined;
    if (!image && this.#mayTry) this.#triedAt = performance.now();
    const pending = this.#calls.pending();
    return (
      image && { status: 'hibernated', image, pending, lastCall: this.#calls.lastSent, nextTimer, now: state.now, usage: this.#usage() }
    );
  }

  /** A run that was too long to be stored a moment ago still is, mostly. */
  get #mayTry(): boolean {
    return performance.now() - this.#triedAt >= TRY_AGAIN_MS;
  }

  #call<T>(call: () => T): T {
    this.broken = true;
    const value = this.#place.instance.meter.active(call);
    this.broken = false;
    return value;
  }

  #status(): GuestStatus {
    // A status that is not of the contract is a broken instance, too.
    return this.#call(() => readGuestStatus(this.#place.instance.guest.boundedStatus(this.#bounds), this.#task.limits));
  }

  #startOptions(): string {
    const { now, seed, limits } = this.#task;
    const { maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes } = limits;
    return JSON.stringify({ now, seed, maxResultBytes, maxStateBytes, maxLogBytes, maxToolArgumentBytes });
  }

  #usage(): RunUsage {
    const { meter } = this.#place.instance;
    return {
      fuel: meter.fuelUsed,
      peakMemoryBytes: meter.pages * PAGE_BYTES,
      activeMs: meter.activeMs,
      waitingMs: this.#waits.waitedMs,
      toolCalls: this.#calls.begun,
    };
  }

  outcome(end: RunEnd): Omit<RunOutcome, 'phases' | 'cache'> {
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
      usage: this.#usage(),
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

/** A run that goes on finds its clock where it is now, and never before where it was. */
function clockOf({ from, now }: WorkerTask, state: RunState | undefined): RunClock {
  const clock = new RunClock(state?.now ?? now);
  if (from?.kind === 'image') clock.moveTo(Math.floor(from.now));
  return clock;
}
