import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import { NOBODY, notApproved } from '../policy/approval.ts';
import type { Admitted } from '../policy/admission.ts';
import { approvalText } from '../result/approval-text.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import { notWritten } from './before-sending.ts';
import type { CallingRun } from './calling-run.ts';
import { definitionHash } from './definition-hash.ts';

/** The answer to a call that was not approved; undefined for one that was. */
export async function askPerson(
  { policies, principal, program, approver = NOBODY }: CallingRun,
  { executionId, number, server }: ToolCall,
  called: CatalogTool,
  { arguments: args, verdict: { rule } }: Admitted,
  signal: AbortSignal,
): Promise<ToolAnswer | undefined> {
  const shown = policies.hide?.value(args) ?? args;
  const { name: tool, title } = called;
  const text = approvalText({ server, tool, title, definition: definitionHash(called), arguments: shown, rule, program });
  try {
    const answer = await approver.ask({ executionId, principal, call: number, server, tool, arguments: shown, text }, signal);
    if (answer.granted) return undefined;
    const { message, hint } = notApproved(`${server}.${tool}`, rule, answer.reason);
    return failedAnswer('ERR_CALL_APPROVAL', message, hint);
  } catch (thrown) {
    return notWritten(thrown);
  }
}
