import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, toSandboxError } from '../errors.ts';
import type { WaitReason } from '../execution/durable-run.ts';
import type { ExecutionGlance, ExecutionStore, ExecutionSummary, ExecutionWaits, StoredApproval } from '../execution/execution-store.ts';
import type { LiveExecution } from './live-execution.ts';
import { presentWaiting } from '../result/present-waiting.ts';
import { presentFailure, type ExecuteResponse } from '../result/present.ts';
import { inForm, readAnswer } from '../result/stored-answer.ts';
import type { SandboxStages } from '../sandbox-stages.ts';
import type { ExecutionPort, ExecutionState, WaitRequest } from '../server/execution-port.ts';
import { LOCAL_PRINCIPAL, type AnswerForm, type ExecuteOptions } from '../server/sandbox-port.ts';

/** How often an execution of another process is looked at, in milliseconds: soon at first, then less often. */
const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 1_000;
/** How long a cancel waits for another process to end the execution, in milliseconds. */
const CANCEL_MS = 5_000;
const ID_CHARS = 64;

/** Executions that go on without an open request: those of this process, and what the store has of all others. */
export function createExecutionPort(stages: SandboxStages): ExecutionPort {
  const answering = async (id: string, { form }: ExecuteOptions, work: () => Promise<ExecuteResponse>): Promise<ExecuteResponse> => {
    try {
      return await work();
    } catch (thrown) {
      const error = toSandboxError(thrown);
      if (error.code === 'ERR_INTERNAL') stages.log.error({ err: thrown }, 'An execution could not be told about');
      return presentFailure({ executionId: id.slice(0, ID_CHARS), error, form });
    }
  };
  return {
    waitExecution: (request, options) => answering(request.executionId, options, () => waitFor(stages, request, options)),
    cancelExecution: (id, options) => answering(id, options, () => cancel(stages, id, options)),
    executionState: (id, principal) => stateOf(stages, id, principal),
    listExecutions: async (principal, limit) => {
      const listed = (await stages.executions?.store.list({ principal, limit })) ?? [];
      return listed.map((summary) => stateOfSummary(stages, summary));
    },
  };
}

/** The answer about an execution that goes on in this process. */
export function presentLive(execution: LiveExecution, form: AnswerForm | undefined): ExecuteResponse {
  const { executionId, session, reasons, hide } = execution;
  return presentWaiting({ executionId, session, reasons, hide, form });
}

async function waitFor(stages: SandboxStages, request: WaitRequest, options: ExecuteOptions): Promise<ExecuteResponse> {
  const { answerAfterMs } = stages.config.limits;
  const timeoutMs = Math.min(request.timeoutMs ?? answerAfterMs, answerAfterMs);
  const live = stages.live.find(request.executionId, options.principal ?? LOCAL_PRINCIPAL);
  if (!live) return waitStored(stages, request.executionId, timeoutMs, options);
  // Whoever waits for it, and can be asked, is asked what it asks.
  const detach = options.approver && stages.executions?.approvals.attach(request.executionId, options.approver);
  try {
    return await waitLive(live, timeoutMs, options);
  } finally {
    detach?.();
  }
}

async function waitLive(live: LiveExecution, timeoutMs: number, { signal, form }: ExecuteOptions): Promise<ExecuteResponse> {
  // What has ended is not live. Whoever looks at it every second for days leaves nothing behind.
  if (timeoutMs <= 0) return presentLive(live, form);
  const response = await live.within(timeoutMs, signal);
  return response === undefined ? presentLive(live, form) : inForm(response, form);
}

async function waitStored(stages: SandboxStages, id: string, timeoutMs: number, options: ExecuteOptions): Promise<ExecuteResponse> {
  const { principal = LOCAL_PRINCIPAL, signal, form } = options;
  const until = performance.now() + timeoutMs;
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(2 * lookMs, LAST_LOOK_MS)) {
    const { store, found } = await glance(stages, id, principal);
    if (found.end) return readAnswer(found.end.response, form);
    const left = until - performance.now();
    if (left <= 0 || signal.aborted) return presentStored(store, id, form);
    await sleep(Math.min(lookMs, left), undefined, { signal }).catch(() => undefined);
    // It may have come to this process meanwhile, with whoever had it before gone.
    const live = stages.live.find(id, principal);
    if (live) return waitLive(live, Math.max(0, until - performance.now()), options);
  }
}

async function cancel(stages: SandboxStages, id: string, options: ExecuteOptions): Promise<ExecuteResponse> {
  const { principal = LOCAL_PRINCIPAL, form } = options;
  const live = stages.live.find(id, principal);
  if (live) {
    live.cancel();
    return inForm(await live.response, form);
  }
  const { store, found } = await glance(stages, id, principal);
  if (!found.end) await store.requestCancel(id);
  return waitStored(stages, id, CANCEL_MS, options);
}

/** @throws SandboxError ERR_EXECUTION_UNKNOWN, also for what is somebody else's */
async function glance(
  { executions }: SandboxStages,
  id: string,
  principal: string,
): Promise<{ store: ExecutionStore; found: ExecutionGlance }> {
  const found = await executions?.store.glance(id);
  if (executions && found?.principal === principal) return { store: executions.store, found };
  const shown = /^exe_[\w-]{1,60}$/.test(id) ? id : 'given';
  throw new SandboxError('ERR_EXECUTION_UNKNOWN', `The execution ${shown} does not exist: it never did, or it ended too long ago.`);
}

/** Of an execution that another process carries on. */
async function presentStored(store: ExecutionStore, id: string, form: AnswerForm | undefined): Promise<ExecuteResponse> {
  const [found, approvals] = await Promise.all([store.waits(id), store.approvals(id)]);
  return presentWaiting({ executionId: id, reasons: found ? storedReasons(found, approvals) : [], form });
}

/** What an execution waits for, as the store has it. */
function storedReasons({ calls, wait }: ExecutionWaits, approvals: readonly StoredApproval[]): WaitReason[] {
  const asked = new Set(approvals.map(({ call }) => call));
  const open = calls.filter(({ stage, number }) => stage !== 'answered' && !asked.has(number));
  return [
    ...approvals.map(({ id, call, server, tool, text, askedAt }): WaitReason => {
      return { kind: 'approval', call, server, tool, since: askedAt, approval: id, text };
    }),
    ...open.map(({ number, server, tool, at }): WaitReason => ({ kind: 'tool', call: number, server, tool, since: at })),
    ...(typeof wait?.nextTimer === 'number' ? [{ kind: 'timer' as const, at: wait.nextTimer }] : []),
  ];
}

async function stateOf(stages: SandboxStages, id: string, principal: string): Promise<ExecutionState | undefined> {
  const { executionTtlMs: ttlMs } = stages.config.limits;
  const live = stages.live.find(id, principal);
  if (live) return { executionId: id, status: live.status, createdAt: live.createdAt, updatedAt: live.updatedAt, ttlMs };
  const found = await stages.executions?.store.glance(id);
  if (found?.principal !== principal) return undefined;
  const { status, createdAt, endedAt, asleepAt } = found;
  return { executionId: id, status, createdAt, updatedAt: endedAt ?? asleepAt ?? createdAt, ttlMs };
}

function stateOfSummary({ config, live }: SandboxStages, { id, status, principal, createdAt, endedAt }: ExecutionSummary): ExecutionState {
  const { updatedAt = endedAt ?? createdAt } = live.find(id, principal) ?? {};
  return { executionId: id, status, createdAt, updatedAt, ttlMs: config.limits.executionTtlMs };
}
