import type { ApprovalAnswer, ApprovalQuestion } from '../policy/approval.ts';
import { AskedRun } from './asked-run.ts';
import { unknownState } from './parked-runs.ts';
import { MAX_ROUNDS, type ApprovalPort, type Attached, type ParkedCaller, type Parking, type Step } from './parking.ts';
import type { AnswerForm, ExecuteResponse, SandboxPort } from './sandbox-port.ts';

/** What a client has come back with. */
interface Return {
  readonly principal: string;
  readonly executionId: string;
  readonly round: number;
  readonly form: AnswerForm | undefined;
  readonly isWait: boolean;
  /** Questions that its user did not want to answer: they are the operator's now. */
  readonly dismissed: ReadonlySet<string>;
  /** Nothing was answered: there is nothing to wait for. */
  readonly isEmpty: boolean;
}

/** Begins a run, or goes on with one. The second signal fires when this request has no more to do with it. */
type Begin = (caller: ParkedCaller, left: AbortSignal) => Promise<ExecuteResponse>;

/**
 * Where executions are stored: between two requests nothing of a run is kept here. What is asked, and what was answered, is in the store, and the name
 * that the client comes back with says of which execution it is. So it goes on after a restart, and may be put away meanwhile.
 */
export class ParkedExecutions implements Parking {
  readonly #port: Pick<SandboxPort, 'waitExecution' | 'cancelExecution'>;
  readonly #approvals: ApprovalPort;
  readonly #closing: AbortSignal;
  /** None here. Executions end with the key that they were begun with, wherever they are. */
  readonly size = 0;

  /** @param closing of the server: a client that goes with it does not end its run */
  constructor(port: Pick<SandboxPort, 'waitExecution' | 'cancelExecution'>, approvals: ApprovalPort, closing: AbortSignal) {
    this.#port = port;
    this.#approvals = approvals;
    this.#closing = closing;
  }

  async demand(principal: string, state: string): Promise<void> {
    if ((await this.#approvals.readState(principal, state)) === undefined) throw unknownState();
  }

  start(principal: string, attached: Attached, begin: (caller: ParkedCaller) => Promise<ExecuteResponse>): Promise<Step> {
    return this.#next(begin, { principal, round: 0 }, attached);
  }

  async resume(principal: string, state: string, answers: ReadonlyMap<string, ApprovalAnswer>, attached: Attached): Promise<Step> {
    const found = await this.#approvals.readState(principal, state);
    if (found === undefined) throw unknownState();
    await this.#approvals.answer(found.executionId, principal, answers);
    const come: Return = { principal, ...found, form: attached.form, isWait: attached.isWait === true, ...dismissals(answers) };
    return this.#next((caller, left) => this.#follow(come, caller, left), come, attached);
  }

  cancelOf(): void {
    // See `size`.
  }

  async #next(begin: Begin, { principal, round }: Pick<Return, 'principal' | 'round'>, attached: Attached): Promise<Step> {
    const left = new AbortController();
    const run = new AskedRun((caller) => begin(caller, left.signal), attached.owner);
    try {
      const questions = await run.untilAsking(this.#untilClosing(attached));
      if (questions === undefined) return { response: await run.ended };
      // From now on they are the operator's too, and the next request's.
      run.goOn({ granted: false, reason: 'dismissed' });
      const [{ executionId }] = [...questions.values()] as [ApprovalQuestion]; // there is one at least
      const state = round < MAX_ROUNDS ? await this.#approvals.mintState(principal, { executionId, round: round + 1 }) : undefined;
      if (state !== undefined) return { state, questions };
      const { signal, form } = attached;
      return { response: await this.#port.waitExecution({ executionId, timeoutMs: 0 }, { signal, form, principal }) };
    } finally {
      left.abort();
    }
  }

  /** While it is followed the client may end it, and is asked about what comes up. */
  async #follow(come: Return, { signal, approver, onProgress }: ParkedCaller, left: AbortSignal): Promise<ExecuteResponse> {
    const { executionId, principal, form, isWait, dismissed, isEmpty } = come;
    const gone = new AbortController();
    const cancel = (): void => (isWait ? gone.abort() : this.#cancel(executionId, principal));
    signal.addEventListener('abort', cancel, { once: true });
    const detach = this.#approvals.attach(executionId, approver, dismissed);
    try {
      if (signal.aborted) cancel();
      const request = { executionId, ...(isEmpty && { timeoutMs: 0 }) };
      return await this.#port.waitExecution(request, {
        signal: AbortSignal.any([left, gone.signal, this.#closing]),
        principal,
        form,
        onProgress,
      });
    } finally {
      detach();
      signal.removeEventListener('abort', cancel);
    }
  }

  #cancel(executionId: string, principal: string): void {
    this.#port.cancelExecution(executionId, { signal: new AbortController().signal, principal }).catch(() => undefined);
  }

  #untilClosing(attached: Attached): Attached {
    const client = new AbortController();
    const gone = (): void => {
      if (!this.#closing.aborted) client.abort(attached.signal.reason);
    };
    attached.signal.addEventListener('abort', gone, { once: true });
    if (attached.signal.aborted) gone();
    return { ...attached, signal: client.signal };
  }
}

/** What was not answered is not asked again in the same breath; and where nothing was, there is nothing to wait for. */
function dismissals(answers: ReadonlyMap<string, ApprovalAnswer>): Pick<Return, 'dismissed' | 'isEmpty'> {
  const dismissed = new Set<string>();
  for (const [id, answer] of answers) if (!answer.granted && answer.reason !== 'refused') dismissed.add(id);
  return { dismissed, isEmpty: answers.size > 0 && dismissed.size === answers.size };
}
