import { setTimeout as sleep } from 'node:timers/promises';
import { runsWithoutEnd } from '../audit/lost-ends.ts';
import type { ExecutionStore, ExecutionSummary } from '../execution/execution-store.ts';
import { readRequest, requestOf } from './execution-record.ts';
import { recordUnrunEnd } from '../run/run-audit.ts';
import type { SandboxStages } from '../sandbox-stages.ts';

/** So long after the start another server has written its lines of what ended before, in milliseconds. */
const PATIENCE_MS = 2_000;
/** The newest are looked at: a server that is killed takes a tenth of a second of lines along. */
const MOST = 1_000;

export interface LostEndsOptions {
  readonly stages: SandboxStages;
  readonly store: ExecutionStore;
  /** Of the audit's database. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly log: { warn(fields: object, message: string): void };
}

/** Records the ends that are in the store and not in the audit, because their server was killed between the two. Never rejects. */
export async function recordLostEnds({ stages, store, file, signal, log }: LostEndsOptions): Promise<void> {
  try {
    const startedAt = Date.now();
    const ended = await store.list({ status: ['completed', 'failed', 'cancelled'], limit: MOST });
    const before = ended.flatMap((one) => (one.endedAt !== undefined && one.endedAt < startedAt ? [{ ...one, endedAt: one.endedAt }] : []));
    if (before.length === 0) return;
    await sleep(PATIENCE_MS, undefined, { signal, ref: false });
    for (const summary of runsWithoutEnd(file, before)) await record(stages, store, summary);
  } catch (err) {
    if (!signal.aborted) log.warn({ err }, 'It cannot be looked for ends of executions that the audit has not');
  }
}

async function record({ audit }: SandboxStages, store: ExecutionStore, summary: ExecutionSummary): Promise<void> {
  const { id, principal, createdAt, code } = summary;
  const stored = await store.read(id).catch(() => undefined);
  const call = stored && { request: requestOf(readRequest(stored.request)), options: { principal }, createdAt };
  recordUnrunEnd(audit, { executionId: id, code, call, summary });
}
