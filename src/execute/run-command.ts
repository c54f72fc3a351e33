import type { RunCommand } from './executor-protocol.ts';
import { pacedRules } from './image-pace.ts';
import type { RunFrom, RunRequest } from './run.ts';
import { decodeSteps, encodeSteps } from './run-steps.ts';

/** What an executor gets to run: a command, and the bytes that go with it. */
export interface RunOrder {
  readonly command: RunCommand;
  readonly payload?: Uint8Array;
}

/** More of a program and an image together does not go in one message: the executor asks for the script, then. */
const MOST_TOGETHER = 160 * 1024 * 1024;

/** The form in which a program goes along. */
export type SentProgram = { readonly form: 'none' } | { readonly form: 'script' | 'program'; readonly bytes: Uint8Array };

/** Gateway: a request as a message. @param state what {@link stateOf} has made of `request.from` @param history whether the run tells what it was given */
export function runOrder(
  run: number,
  request: RunRequest,
  program: SentProgram,
  state: Uint8Array | undefined,
  history: boolean,
): RunOrder {
  const { program: source, executionId, input, state: session, limits, results, skills, now, seed, from, hibernation } = request;
  const optional = { ...(results && { results }), ...(skills && { skills }), ...(now !== undefined && { now }), ...(seed && { seed }) };
  const durable = {
    ...(from && state && { from: fromOf(from, state) }),
    ...(hibernation && { hibernation: { ...pacedRules(hibernation, from) } }),
    ...(history && { history }),
  };
  const parts = [...(program.form === 'none' ? [] : [program.bytes]), ...(state ? [state] : [])];
  const payload = parts.length > 1 ? Buffer.concat(parts) : parts[0];
  const key = source.key;
  const command = {
    type: 'run' as const,
    run,
    executionId,
    key,
    input,
    state: session,
    limits,
    ...optional,
    ...durable,
    payload: program.form,
  };
  return { command, ...(payload && { payload }) };
}

/** Gateway: whether a program and where its run goes on are short enough for one message. */
export function fitTogether(program: Uint8Array, state: Uint8Array | undefined): boolean {
  return state === undefined || program.length + state.length <= MOST_TOGETHER;
}

/** Gateway: the bytes of where a run goes on; undefined when it starts. */
export function stateOf({ from }: RunRequest): Uint8Array | undefined {
  if (!from) return undefined;
  return from.kind === 'image' ? from.image : encodeSteps(from.steps);
}

function fromOf(from: RunFrom, { length: bytes }: Uint8Array): RunCommand['from'] {
  if (from.kind === 'history') return { kind: 'history', bytes, ...(from.now !== undefined && { now: from.now }) };
  return { kind: 'image', bytes, now: from.now, pending: [...from.pending], lastCall: from.lastCall };
}

/** Executor: the program's part of a payload, and where the run goes on. @throws TypeError when that is broken */
export function readOrder({ from }: RunCommand, payload: Buffer): { readonly program: Buffer; readonly from?: RunFrom } {
  if (!from) return { program: payload };
  const program = payload.subarray(0, payload.length - from.bytes);
  const state = payload.subarray(payload.length - from.bytes);
  if (from.kind === 'image') {
    const { bytes: _bytes, ...rest } = from;
    return { program, from: { ...rest, image: shared(state) } };
  }
  return { program, from: { kind: 'history', steps: decodeSteps(state), ...(from.now !== undefined && { now: from.now }) } };
}

/** Memory that a worker gets without a copy, and another one again when the first has not begun. */
export function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
