import type { ToolAnswerError } from '../execute/run.ts';
import type { FlowFinding } from './data-flow.ts';
import type { CallBudget, Verdict } from './tool-rules.ts';

/** Arguments of a call. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A call that no policy forbids. */
export interface Admitted {
  readonly ok: true;
  /** With the real values in the place of tokens. */
  readonly arguments: Arguments;
  readonly verdict: Verdict;
  /** To be called when nothing was sent after all: the call does not count then. */
  giveBack(): void;
}

/** What the policies say about one call. */
export type Admission = Admitted | { readonly ok: false; readonly error: ToolAnswerError };

/** What to do about a call that was not made. */
const HINTS = {
  denied: 'Do it another way; what is allowed here is for the operator to say.',
  budget: 'Make fewer calls: pass several items at once, or split the work over several runs.',
  dataFlow: 'Send what does not come from there: a count, or words of your own. The rule is for the operator to change.',
  token: 'Get the value again with the tool that it came from.',
} as const;

function refused(code: ToolAnswerError['code'], message: string, hint?: string): Admission {
  return { ok: false, error: { code, message, ...(hint !== undefined && { hint }) } };
}

/** Of a call that the operator does not allow. */
export function denied(message: string): Admission {
  return refused('ERR_CALL_DENIED', `${message} Nothing was sent.`, HINTS.denied);
}

/** Of one too many. */
export function overBudget(tool: string, { rule, maxCalls }: CallBudget): Admission {
  if (maxCalls === 0) return denied(`This run may not call ${tool}: ${rule} is 0.`);
  const calls = maxCalls === 1 ? 'the one call' : `all ${maxCalls} calls`;
  return refused('ERR_CALL_BUDGET', `This run has made ${calls} that it may make of ${tool} (${rule}). Nothing was sent.`, HINTS.budget);
}

/** Of one whose arguments hold a token that stands for nothing. */
export function unknownToken(token: string): Admission {
  const message = `The arguments hold the token ${token}, which stands for nothing any more. Nothing was sent.`;
  return refused('ERR_CALL_ARGUMENTS', message, HINTS.token);
}

/** Of one that would carry data where they must not go. */
export function brokenFlow({ message }: FlowFinding): Admission {
  return refused('ERR_CALL_DATA_FLOW', `${message} Nothing was sent.`, HINTS.dataFlow);
}
