import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import type { Admitted } from '../policy/admission.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import type { CallingRun, ToolCallStages } from './calling-run.ts';

/** A call that may be made, once a person agrees where one has to; or the answer to one that is not made. */
export type Judged = Admitted | { readonly ok: false; readonly answer: ToolAnswer };

/**
 * What everything but a person says about a call of a tool that there is: policies, the tool's input schema, the dry run, the principal's quota. Without
 * waiting for anything, so that calls that come together are judged one after the other.
 */
export function judgeCall(
  { validateArguments, learner }: ToolCallStages,
  { policies, quota }: CallingRun,
  { number, server }: ToolCall,
  tool: CatalogTool,
  given: Record<string, unknown>,
): Judged {
  policies.askedAgain(number);
  const admitted = policies.admit(server, tool, given);
  if (!admitted.ok) return { ok: false, answer: admitted };
  const checked = validateArguments(tool, admitted.arguments, (value) => policies.hide?.value(value) ?? value);
  if (!checked.ok) return notCounted(admitted, failedAnswer('ERR_CALL_ARGUMENTS', checked.message, checked.hint));
  if (policies.dryRun && !policies.isHarmless(tool, admitted.verdict)) {
    const learned = learner?.learnedSchema(server, tool.name);
    return { ok: false, answer: policies.answerDry(server, tool, admitted.arguments, learned) };
  }
  const tooMany = quota?.takeCall();
  return tooMany === undefined ? admitted : notCounted(admitted, tooMany);
}

function notCounted(admitted: Admitted, answer: ToolAnswer): Judged {
  admitted.giveBack();
  return { ok: false, answer };
}
