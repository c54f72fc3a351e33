import type { Image } from '../../component/image.ts';
import { applyDelta, damagedImage, decodeRunImage, encodeRunImage } from '../../component/run-image.ts';
import { takeRunDelta } from '../../component/take-delta.ts';
import { SandboxError } from '../../errors.ts';
import type { EngineInstance } from './engine-instance.ts';
import type { RunPlace } from './run-place.ts';
import { decodeRunState, encodeRunState, maxStateBytes, type RunState } from './run-state.ts';
import type { RunFrom } from '../run.ts';
import type { WorkerTask } from '../worker-protocol.ts';

const PAGES_PER_MIB = 16;
const PAGE_BYTES = 65_536;

/**
 * A run as an image: its memory and what the host holds for it. One at a time in a thread, so what that takes for a moment is never more than a
 * memory in each worker.
 * @returns undefined when it is longer than may be stored
 */
export function putAway({ instance, image }: RunPlace, task: WorkerTask, state: RunState): Uint8Array<ArrayBuffer> | undefined {
  const { key, hibernation } = task;
  const delta = takeRunDelta(new Uint8Array(instance.memory.buffer), image, state.meter.pages);
  return encodeRunImage({ key, image }, { delta, host: encodeRunState(state) }, hibernation?.maxImageBytes ?? 0);
}

/**
 * Puts an instance where a run was put away.
 * @param instance at the program's image
 * @returns what the host held for it. Its memory is in the instance only if nothing was thrown.
 * @throws SandboxError ERR_COMPONENT_DAMAGED when the image is not one of this program and engine, or not what the gateway takes it for;
 * ERR_EXECUTE_MEMORY
 */
export function wakeRun(
  instance: EngineInstance,
  image: Image,
  { key, limits }: Pick<WorkerTask, 'key' | 'limits'>,
  from: Extract<RunFrom, { kind: 'image' }>,
): RunState {
  const bounds = { maximumPages: limits.memoryMb * PAGES_PER_MIB, maxHostBytes: maxStateBytes(limits) };
  const { delta, host } = decodeRunImage(from.image, { key, image }, bounds);
  const state = decodeRunState(host, limits);
  if (state.meter.pages !== delta.pages) throw damagedImage('memory and meter do not agree about its size');
  checkCalls(state, from);
  const missing = delta.pages - instance.memory.buffer.byteLength / PAGE_BYTES;
  if (missing > 0) grow(instance, missing);
  applyDelta(new Uint8Array(instance.memory.buffer), delta);
  return state;
}

function grow({ memory }: EngineInstance, pages: number): void {
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new SandboxError('ERR_EXECUTE_MEMORY', 'There is no memory for the run to go on in at this moment.', { cause });
  }
}

/** The gateway answers the calls that it knows of: with others the run would wait for ever. */
function checkCalls({ calls }: RunState, { pending, lastCall }: Extract<RunFrom, { kind: 'image' }>): void {
  const sent = calls.filter(({ waiting }) => waiting === undefined).length;
  const open = calls.flatMap(({ waiting, end }, index) => (waiting === undefined && !end ? [index + 1] : []));
  if (sent !== lastCall || open.join() !== [...pending].toSorted((a, b) => a - b).join()) {
    throw damagedImage('it waits for other calls than those that were told');
  }
}

/**
 * How much of the time that a run was away counts as waited: up to when its timer was due, for what came later was not its doing.
 * @param since the run's clock when it left
 * @param now its clock when it goes on
 */
export function awayMs(since: number, nextTimer: number | null, now: number): number {
  return Math.max(0, Math.min(now, nextTimer ?? Infinity) - since);
}
