import { createCallTable, type CallTable, type OutgoingCall } from '../../../host-functions/call-tool.ts';
import { createLog, type Log } from '../../../host-functions/log.ts';
import { GuestStop } from './guest-stop.ts';
import { createHostFunctions } from './host-functions.ts';
import { Mailbox, type Accepted } from './mailbox.ts';
import { RunClock } from './run-clock.ts';
import type { RunPlace } from './run-place.ts';
import type { RunState } from './run-state.ts';
import { RunWaits } from './run-waits.ts';
import { ScriptedSteps } from './scripted-steps.ts';
import { awayMs } from './sleeping-run.ts';
import type { AnswerMessage, WorkerTask } from '../worker-protocol.ts';

const PAGES_PER_MIB = 16;

/** What the host holds for one run while that is in an instance. */
export interface RunHost {
  readonly place: RunPlace;
  readonly task: WorkerTask;
  readonly clock: RunClock;
  readonly log: Log;
  readonly calls: CallTable;
  readonly mailbox: Mailbox;
  readonly waits: RunWaits;
  /** What it is given again before anything new. */
  readonly script: ScriptedSteps;
}

/** Makes all of it and connects it with the instance and the gateway. @param from as it was when the run was put away; absent: for its start */
export function hostRun(place: RunPlace, task: WorkerTask, from: RunState | undefined): RunHost {
  const { limits, port } = task;
  const { instance, mounts } = place;
  const clock = clockOf(task, from);
  const script = new ScriptedSteps(task.from?.kind === 'history' ? task.from.steps : undefined, task.now);
  const log = createLog(limits.maxLogBytes, from?.log);
  const calls = createCalls(place, task, script, from && { state: from, awayMs: clock.now() - from.now });
  const mailbox = new Mailbox(port, (answer) => accept(script, calls, answer));
  const waitedMs = from ? from.waitingMs + awayMs(from.now, from.status.nextTimer, clock.now()) : 0;
  const waits = new RunWaits(mailbox, clock, { waitMs: limits.waitMs, rules: task.hibernation, waitedMs, isWoken: from !== undefined });
  instance.host = createHostFunctions(task, mounts, calls, log);
  beginMeter(place, task, from);
  port.hold(instance.memory, () => instance.meter.hostBytes + log.keptBytes + mailbox.largeBytes);
  if (from) port.awaitCalls(calls.pending());
  return { place, task, clock, log, calls, mailbox, waits, script };
}

/** A run that goes on finds its clock where it is now, and never before where it was. */
function clockOf({ from, now }: WorkerTask, state: RunState | undefined): RunClock {
  const clock = new RunClock(state?.now ?? now);
  if (from?.kind === 'image') clock.moveTo(Math.floor(from.now));
  return clock;
}

/** @param back absent: for a run that starts */
function createCalls(
  { instance: { meter } }: RunPlace,
  { limits, executionId, port }: WorkerTask,
  script: ScriptedSteps,
  back: { readonly state: RunState; readonly awayMs: number } | undefined,
): CallTable {
  const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes } = limits;
  const onHeld = (bytes: number): void => meter.holdBytes(bytes);
  const send = (call: OutgoingCall): void =>
    port.postMessage({ type: 'call', call: { executionId, ...call, ...script.where(meter.fuelUsed) } });
  const onLimit = (): never => {
    throw new GuestStop('ERR_EXECUTE_TOOL_CALLS', `The program began more than ${maxToolCalls} tool calls.`);
  };
  const options = { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes, onHeld, send, onLimit };
  // Time in which the run was away its calls were on their way.
  return createCallTable(
    options,
    back?.state.calls.map((call) => ({ ...call, ageMs: call.ageMs + back.awayMs })),
  );
}

/** An answer that comes before its step has no effect until then: not even its call's arguments count as gone. */
function accept(script: ScriptedSteps, calls: CallTable, { call, ok, code }: AnswerMessage): Accepted {
  if (!script.takes(call)) return calls.isRunning(call) ? 'later' : 'never';
  return calls.settle(call, ok, code) ? 'now' : 'never';
}

function beginMeter({ instance, image }: RunPlace, { limits, interrupt, port }: WorkerTask, from: RunState | undefined): void {
  const budget = { fuel: limits.fuel, pages: image.pages, maximumPages: limits.memoryMb * PAGES_PER_MIB, activeMs: limits.timeoutMs };
  const onSlice = (): void => port.slice();
  const mayGrow = (pages: number): boolean => port.mayGrow(pages);
  instance.meter.begin({ ...budget, interrupt, onSlice, mayGrow }, from?.meter);
}
