import type { ToolCall } from '../execute/run.ts';
import type { DurableRun } from '../execution/durable-run.ts';
import { repeatText } from '../result/approval-text.ts';
import type { Run } from './run-parts.ts';
import type { SandboxStages } from '../sandbox-stages.ts';

/** Asks the operator about calls of a run of which nobody knows whether they were made. What is shown has tokens in the place of personal data. */
export function askingRepeat(
  { executions, upstreams }: Pick<SandboxStages, 'executions' | 'upstreams'>,
  { policies, principal, call }: Run,
  programKey: string,
): NonNullable<DurableRun['askRepeat']> {
  const program = { code: call.request.code, hash: programKey };
  return async ({ executionId, number, server, tool, arguments: text }: ToolCall, sentAt, signal) => {
    const args: unknown = JSON.parse(text);
    const shown = policies.hide?.value(args) ?? args;
    const title = upstreams
      .catalog()
      .servers.find(({ name }) => name === server)
      ?.tools.find(({ name }) => name === tool)?.title;
    const question = { executionId, principal, call: number, server, tool, arguments: shown, sentAt };
    const said = await executions?.approvals.askRepeat(
      { ...question, text: repeatText({ server, tool, title, arguments: shown, program }, sentAt) },
      signal,
    );
    return said?.granted === true;
  };
}
