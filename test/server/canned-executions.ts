import { SandboxError } from '../../src/errors.ts';
import type { ApprovalAnswer } from '../../src/execution/approver.ts';
import type { WaitReason } from '../../src/execution/durable-run.ts';
import type { StoredApproval } from '../../src/execution/execution-store.ts';
import type { AnswerForm } from '../../src/result/answer.ts';
import { presentFailure } from '../../src/result/present.ts';
import { presentWaiting } from '../../src/result/present-waiting.ts';
import type { ExecutionPort, ExecutionState } from '../../src/server/execution-port.ts';
import type { ApprovalPort } from '../../src/server/parking.ts';
import type { ExecuteOptions, ExecuteRequest, ExecuteResponse } from '../../src/server/sandbox-port.ts';

const TTL_MS = 60_000;
/** As the operator's `answerAfterMs`: tests do not wait so long. */
const ANSWER_AFTER_MS = 20_000;

type Finish = (executionId: string, form: AnswerForm | undefined) => Promise<ExecuteResponse>;

interface Canned {
  readonly id: string;
  readonly principal: string;
  readonly createdAt: number;
  readonly ended: PromiseWithResolvers<Finish>;
  /** It is put away, asks, or has ended. */
  readonly put: PromiseWithResolvers<void>;
  updatedAt: number;
  status: ExecutionState['status'];
  reasons: readonly WaitReason[];
}

/** Executions that wait for a word of the test, with the promises of the real ones: early answers, waits that may be given up, one end. */
export class CannedExecutions implements ExecutionPort {
  readonly #all = new Map<string, Canned>();
  /** Waits that are open. */
  waits = 0;

  /** Begins one, and answers when its caller wants to be answered. */
  async begin({ wait, answerAfterMs = ANSWER_AFTER_MS }: ExecuteRequest, options: ExecuteOptions, id: string): Promise<ExecuteResponse> {
    const { principal = 'local' } = options;
    const now = Date.now();
    const ended = Promise.withResolvers<Finish>();
    const put = Promise.withResolvers<void>();
    const canned: Canned = { id, principal, createdAt: now, updatedAt: now, status: 'running', reasons: [], ended, put };
    this.#all.set(id, canned);
    try {
      return await this.#answer(canned, answerAfterMs, options, wait === 'return-when-waiting');
    } catch (error) {
      // Until it is answered it belongs to its request.
      this.#end(canned, 'cancelled', cancelled);
      throw error;
    }
  }

  /** Puts one away. */
  park(id: string, reasons: readonly WaitReason[]): void {
    const canned = this.#get(id);
    Object.assign(canned, { status: 'waiting', reasons, updatedAt: Date.now() });
    canned.put.resolve();
  }

  /** Ends one. */
  finish(id: string, status: 'completed' | 'failed', finish: Finish): void {
    this.#end(this.#get(id), status, finish);
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  state(id: string): ExecutionState['status'] {
    return this.#get(id).status;
  }

  waitExecution = ({ executionId, timeoutMs = ANSWER_AFTER_MS }: { executionId: string; timeoutMs?: number }, options: ExecuteOptions) => {
    const canned = this.#all.get(executionId);
    if (canned?.principal !== (options.principal ?? 'local')) return Promise.resolve(unknown(executionId, options.form));
    return this.#answer(canned, timeoutMs, options, false);
  };

  cancelExecution = (executionId: string, options: ExecuteOptions) => {
    const canned = this.#all.get(executionId);
    if (canned?.principal !== (options.principal ?? 'local')) return Promise.resolve(unknown(executionId, options.form));
    this.#end(canned, 'cancelled', cancelled);
    return this.#answer(canned, 0, options, false);
  };

  executionState = (executionId: string, principal: string) => {
    const canned = this.#all.get(executionId);
    return Promise.resolve(canned?.principal === principal ? stateOf(canned) : undefined);
  };

  listExecutions = (principal: string, limit: number) =>
    Promise.resolve(
      [...this.#all.values()]
        .filter((canned) => canned.principal === principal)
        .map(stateOf)
        .toReversed()
        .slice(0, limit),
    );

  /** Questions of those that were put away for a person. Answers go to `onAnswer`. */
  approvals: ApprovalPort = {
    open: (id) => openOf(this.#get(id)),
    answer: (id, _principal, answers) => {
      const canned = this.#get(id);
      for (const [approval, answer] of answers) {
        if (!canned.reasons.some((reason) => reason.kind === 'approval' && reason.approval === approval)) continue;
        canned.reasons = canned.reasons.filter((reason) => reason.kind !== 'approval' || reason.approval !== approval);
        this.onAnswer(id, approval, answer);
      }
      return Promise.resolve();
    },
    attach: (id, client) => {
      for (const stored of openOf(this.#get(id))) {
        const question = { ...stored, arguments: {} };
        client.ask(question, new AbortController().signal).then(
          (answer) => this.approvals.answer(id, '', new Map([[stored.id, answer]])),
          () => undefined,
        );
      }
      return () => undefined;
    },
    mintState: () => Promise.resolve(undefined),
    readState: () => Promise.resolve(undefined),
  };
  onAnswer: (executionId: string, approval: string, answer: ApprovalAnswer) => void = () => undefined;

  async #answer(canned: Canned, ms: number, { signal, form }: ExecuteOptions, whenPut: boolean): Promise<ExecuteResponse> {
    this.waits++;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    const gone = Promise.withResolvers<never>();
    const leave = (): void => {
      // A server that closes answers what is open; a client that is gone is not answered.
      if (signal.reason instanceof SandboxError) late.resolve();
      else gone.reject(new SandboxError('ERR_EXECUTE_CANCELLED', 'The request was cancelled.'));
    };
    gone.promise.catch(() => undefined);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      const finish = await Promise.race([canned.ended.promise, late.promise, gone.promise, ...(whenPut ? [canned.put.promise] : [])]);
      if (finish) return await finish(canned.id, form);
      return presentWaiting({ executionId: canned.id, reasons: canned.reasons, form });
    } finally {
      this.waits--;
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    }
  }

  #end(canned: Canned, status: 'completed' | 'failed' | 'cancelled', finish: Finish): void {
    if (canned.status !== 'running' && canned.status !== 'waiting') return;
    Object.assign(canned, { status, reasons: [], updatedAt: Date.now() });
    canned.ended.resolve(finish);
    canned.put.resolve();
  }

  #get(id: string): Canned {
    const canned = this.#all.get(id);
    if (!canned) throw new Error(`There is no canned execution ${id}`);
    return canned;
  }
}

const cancelled: Finish = (executionId, form) => {
  const error = new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
  return Promise.resolve(presentFailure({ executionId, error, form }));
};

function unknown(executionId: string, form: AnswerForm | undefined): ExecuteResponse {
  const error = new SandboxError('ERR_EXECUTION_UNKNOWN', 'There is no execution by that id.');
  return presentFailure({ executionId, error, form });
}

function openOf({ id, principal, reasons }: Canned): StoredApproval[] {
  return reasons
    .filter((reason) => reason.kind === 'approval')
    .map(({ approval, call, server, tool, text, since }) => {
      return { id: approval, executionId: id, principal, call, kind: 'approve', server, tool, arguments: '{}', text, askedAt: since };
    });
}

function stateOf({ id, status, createdAt, updatedAt }: Canned): ExecutionState {
  return { executionId: id, status, createdAt, updatedAt, ttlMs: TTL_MS };
}
