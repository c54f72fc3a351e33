import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runsWithoutEnd, toldUntil } from '../audit/lost-ends.ts';
import type { ExecutionStore, ExecutionSummary } from '../execution/execution-store.ts';
import { readRequest, requestOf } from './execution-record.ts';
import { recordUnrunEnd } from '../run/run-audit.ts';
import type { SandboxStages } from '../sandbox-stages.ts';
import type { ExecuteRequest } from '../server/sandbox-port.ts';
import { lockFile } from '../store/lock-file.ts';

/** So long after the start another server has written its lines of what ended before, in milliseconds. */
const PATIENCE_MS = 2_000;
/** So long after it was recorded a line has been written, in milliseconds. */
const WRITTEN_MS = 500;
/** Those that ended last are looked at: a server that is killed takes a tenth of a second of lines along. */
const MOST = 1_000;

export interface LostEndsOptions {
  readonly stages: SandboxStages;
  readonly store: ExecutionStore;
  /** Of the audit's database. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly log: { warn(fields: object, message: string): void };
  readonly patienceMs?: number;
}

/** Records the ends that are in the store and not in the audit, because their server was killed between the two. Never rejects. */
export async function recordLostEnds({ stages, store, file, signal, log, patienceMs = PATIENCE_MS }: LostEndsOptions): Promise<void> {
  try {
    const startedAt = Date.now();
    const endedSince = toldUntil(file, startedAt);
    if (endedSince === undefined) return;
    const ended = await store.list({ endedSince, limit: MOST });
    const before = ended.flatMap((one) => (one.endedAt !== undefined && one.endedAt < startedAt ? [{ ...one, endedAt: one.endedAt }] : []));
    if (before.length === 0) return;
    await sleep(patienceMs, undefined, { signal, ref: false });
    await alone(`${file}-ends.lock`, async () => {
      const lost = runsWithoutEnd(file, before);
      for (const summary of lost) await record(stages, store, summary);
      if (lost.length > 0) await sleep(WRITTEN_MS, undefined, { signal, ref: false });
    });
  } catch (err) {
    if (!signal.aborted) log.warn({ err }, 'It cannot be looked for ends of executions that the audit has not');
  }
}

/** Servers that are started at once would tell the same: the first one does, and who comes after it finds the lines. */
async function alone(file: string, work: () => Promise<void>): Promise<void> {
  const lock = lockOf(file);
  if (lock === undefined) return;
  try {
    await work();
  } finally {
    lock.close();
    rmSync(file, { force: true });
  }
}

function lockOf(file: string): ReturnType<typeof lockFile> | undefined {
  try {
    return lockFile(file);
  } catch {
    return undefined;
  }
}

async function record({ audit }: SandboxStages, store: ExecutionStore, summary: ExecutionSummary): Promise<void> {
  const { id, principal, createdAt, code } = summary;
  const request = await requestFor(store, id).catch(() => undefined);
  const call = request && { request, options: { principal }, createdAt };
  recordUnrunEnd(audit, { executionId: id, code, call, summary });
}

/** @throws SandboxError ERR_EXECUTION_DAMAGED when this version cannot read it */
async function requestFor(store: ExecutionStore, id: string): Promise<ExecuteRequest | undefined> {
  const stored = await store.read(id);
  return stored && requestOf(readRequest(stored.request));
}
