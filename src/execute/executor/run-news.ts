import { callFrames } from './call-frames.ts';
import type { ExecutorEvent, HistoryPart, RunCommand } from '../executor-protocol.ts';
import type { RunHistory } from '../run.ts';
import type { PutAwayRun, StepNews } from '../worker-protocol.ts';

type Send = (event: ExecutorEvent | string, payload?: Uint8Array) => void;

/** Executor: tells what a step of a run was given, and what it led to. */
export function sendStep(send: Send, { run, history: tells }: RunCommand, { history: given, awaits, calls }: StepNews): void {
  const history = tells && given ? partOf(given) : undefined;
  if (history && calls.length === 0) send({ type: 'history', run, history });
  if (awaits && awaits.length > 0) send({ type: 'awaits', run, calls: [...awaits] });
  // What it was given goes with the first of its calls.
  for (const [index, { event, payload }] of callFrames(run, calls).entries()) {
    send(history && index === 0 ? { ...event, history } : event, payload);
  }
}

/** Executor: tells that a run is put away. */
export function sendHibernated(send: Send, { run, history: tells }: RunCommand, { hibernated, history }: PutAwayRun): void {
  const { pending, lastCall, nextTimer, now, usage, image } = hibernated;
  const told = tells && history ? { history: partOf(history) } : {};
  send({ type: 'hibernated', run, pending: [...pending], lastCall, nextTimer, now, usage, ...told }, image);
}

/** Executor: the last member of an outcome as JSON text; "" when nothing is to be told. */
export function historyText({ history: tells }: RunCommand, history: RunHistory | undefined): string {
  return tells && history ? `,"history":${JSON.stringify(partOf(history))}` : '';
}

function partOf({ steps, files }: RunHistory): HistoryPart {
  return { steps: steps.map(([now, ...calls]) => [now, ...calls]), ...(files.length > 0 && { files: [...files] }) };
}
