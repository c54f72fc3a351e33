import { toSandboxError, type SandboxError } from '../errors.ts';
import type { DurableExecutor, HibernatedRun, HibernationRules, RunEvents, RunFrom, RunOutcome, RunRequest } from '../execute/run.ts';

/** How a run comes to an executor. */
export interface Attempt {
  readonly kind: 'attempt';
  /** Undefined: from its start, for the first time. */
  readonly from: RunFrom | undefined;
  /** Undefined: it is not put away. */
  readonly hibernation: HibernationRules | undefined;
}

/** How it left one. */
export type Left = LeftEnded | LeftAway | LeftLost | LeftDamaged;

export interface LeftEnded {
  readonly kind: 'ended';
  readonly outcome: RunOutcome;
}

export interface LeftAway {
  readonly kind: 'put away';
  readonly run: Omit<HibernatedRun, 'image'>;
  readonly takeImage: () => Uint8Array;
}

export interface LeftLost {
  readonly kind: 'lost';
  /** Whether it may have done anything there. */
  readonly hasBegun: boolean;
  readonly error: SandboxError;
}

/** Its image is not what it was. */
export interface LeftDamaged {
  readonly kind: 'damaged';
  readonly error: SandboxError;
}

/** Where a run is on its way, between two things that it waits for. */
export type Next = Attempt | Left;

/** Runs it in an executor until it leaves that. @throws SandboxError as `DurableExecutor.attempt`, for what is not one of {@link Left} */
export async function attempt(executor: DurableExecutor, request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<Left> {
  try {
    const left = await executor.attempt(request, events, signal);
    if (!('image' in left)) return isDamaged(left, request) ?? { kind: 'ended', outcome: left };
    const { image, ...run } = left;
    return { kind: 'put away', run, takeImage: once(image) };
  } catch (thrown) {
    const error = toSandboxError(thrown);
    if (error.code === 'ERR_COMPONENT_DAMAGED' && request.from?.kind === 'image') return { kind: 'damaged', error };
    // A worker that died took along whatever it had, as a process does.
    if (error.code !== 'ERR_EXECUTE_LOST' && error.code !== 'ERR_EXECUTE_ENGINE') throw error;
    return { kind: 'lost', hasBegun: !('hasBegun' in error) || error.hasBegun === true, error };
  }
}

function isDamaged({ end }: RunOutcome, { from }: RunRequest): Left | undefined {
  if (from?.kind !== 'image' || end.status !== 'failed' || end.code !== 'ERR_COMPONENT_DAMAGED') return undefined;
  return { kind: 'damaged', error: toSandboxError(new Error(end.message), 'ERR_COMPONENT_DAMAGED') };
}

/** An image is large, and what was suspended holds on to whatever it has seen: it is handed over once, and nobody else has it then. */
function once(image: Uint8Array): () => Uint8Array {
  let left: Uint8Array | undefined = image;
  return () => {
    const taken = left;
    left = undefined;
    if (taken === undefined) throw new TypeError('an image is taken once');
    return taken;
  };
}
