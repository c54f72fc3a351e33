import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ExecutionStore } from './execution-store.ts';

/** Characters of the proof: 192 bits. */
const PROOF_CHARS = 32;

/** What a client brings along when it comes back with answers. */
export interface RequestState {
  readonly executionId: string;
  /** How many requests in a row have ended with questions. */
  readonly round: number;
}

/**
 * The name under which a client goes on with an execution that has asked. It cannot be guessed or changed, is good for one principal alone, and
 * holds after a restart and on another machine with the same store: its proof is made with the seed of the run, which nobody else knows.
 */
export async function mintState(store: ExecutionStore, principal: string, state: RequestState): Promise<string | undefined> {
  const seed = await seedOf(store, principal, state.executionId);
  return seed === undefined ? undefined : `${state.executionId}.${state.round}.${proofOf(seed, principal, state)}`;
}

/** @returns undefined for what was never minted for this principal, and when the execution is not kept any more */
export async function readState(store: ExecutionStore, principal: string, text: string): Promise<RequestState | undefined> {
  const [, executionId = '', round = '', proof = ''] = /^([\w-]{1,64})\.(\d{1,4})\.([\w-]{32})$/.exec(text) ?? [];
  if (executionId === '') return undefined;
  const seed = await seedOf(store, principal, executionId);
  if (seed === undefined) return undefined;
  const state = { executionId, round: Number(round) };
  const isMinted = timingSafeEqual(Buffer.from(proofOf(seed, principal, state)), Buffer.from(proof));
  return isMinted ? state : undefined;
}

async function seedOf(store: ExecutionStore, principal: string, executionId: string): Promise<string | undefined> {
  const execution = await store.glance(executionId);
  return execution?.principal === principal ? execution.seed : undefined;
}

function proofOf(seed: string, principal: string, { executionId, round }: RequestState): string {
  const text = JSON.stringify(['request state', executionId, round, principal]);
  return createHmac('sha256', seed).update(text).digest('base64url').slice(0, PROOF_CHARS);
}
