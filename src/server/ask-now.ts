import type { ServerContext } from '@modelcontextprotocol/server';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../policy/approval.ts';
import { answerIn, formOf } from './approval-form.ts';
import type { ExecuteOptions, ExecuteResponse, SandboxPort } from './sandbox-port.ts';

/**
 * How long a form stays open. A run may wait for longer, where the operator lets it: then the client is asked no more, and the operator still is. Where it
 * may not wait for so long its end closes the form.
 */
const MAX_ANSWER_MS = 86_400_000;

/**
 * One question after the other, over the request that is open.
 * @param onClosed hears of a question that nobody has answered and that is kept, when there is no other
 */
export function askNow({ mcpReq }: ServerContext, onClosed?: (executionId: string) => void): Approver {
  let last: Promise<unknown> = Promise.resolve();
  let open = 0;
  const ask = async (question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> => {
    const answer = await elicited(question, signal);
    open--;
    const isClosed = !answer.granted && answer.reason === 'dismissed' && question.id !== undefined;
    if (isClosed && open === 0 && !signal.aborted) onClosed?.(question.executionId);
    return answer;
  };
  const elicited = async (question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> => {
    if (signal.aborted) return { granted: false, reason: 'dismissed' };
    try {
      return answerIn(await mcpReq.elicitInput(formOf(question), { signal, timeout: MAX_ANSWER_MS }));
    } catch {
      return { granted: false, reason: 'dismissed' };
    }
  };
  return {
    ask: (question, signal) => {
      open++;
      const answer = last.then(() => ask(question, signal));
      last = answer;
      return answer;
    },
  };
}

/** A form that is closed leaves the question to the operator: the request is answered at once with what the run waits for, and has no more to do with it. */
export async function askWhileOpen(
  ctx: ServerContext,
  port: Pick<SandboxPort, 'waitExecution'>,
  caller: ExecuteOptions,
  run: (caller: ExecuteOptions) => Promise<ExecuteResponse>,
): Promise<ExecuteResponse> {
  const { signal, form } = caller;
  const client = new AbortController();
  const gone = (): void => client.abort(signal.reason);
  signal.addEventListener('abort', gone, { once: true });
  if (signal.aborted) gone();
  const closed = Promise.withResolvers<string>();
  const running = run({ ...caller, signal: client.signal, approver: askNow(ctx, closed.resolve) });
  const executionId = await Promise.race([running.then(() => undefined), closed.promise]);
  if (executionId === undefined) return running;
  signal.removeEventListener('abort', gone);
  running.catch(() => undefined);
  return port.waitExecution({ executionId, timeoutMs: 0 }, { signal, form });
}
