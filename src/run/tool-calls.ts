import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import type { Admitted } from '../policy/admission.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import { unknownServer } from '../upstream/unknown.ts';
import { askPerson } from './ask-person.ts';
import { beforeSending } from './before-sending.ts';
import { parseArguments } from './call-arguments.ts';
import { outOfReach } from './call-reach.ts';
import type { CallingRun, ToolCallStages } from './calling-run.ts';
import { judgeCall } from './judge-call.ts';

/**
 * Answers a run's tool calls. Everything is decided here, in the gateway, before anything is sent: whether the run may call
 * that server, whether the tool exists and is allowed, whether the arguments match its schema, whether a person agrees.
 */
export function toolCalls(stages: ToolCallStages, run: CallingRun): (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer> {
  return async (call, signal) => {
    const denied = outOfReach(run, call);
    if (denied) return denied;
    // What there is and what is allowed is looked up when its turn has come: while a large call waits tools can come, change and go.
    const make = (): Promise<ToolAnswer> => callNow(stages, run, call, signal);
    const answer = await (stages.largeCalls?.make(run.principal, call.arguments, signal, make) ?? make());
    return answer ?? failedAnswer('ERR_EXECUTE_CANCELLED', 'The run has ended.');
  };
}

/** From here to the sending nothing is waited for, except for a person and the journal. */
async function callNow(stages: ToolCallStages, run: CallingRun, call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
  const { servers } = stages.upstreams.catalog();
  const server = servers.find(({ name }) => name === call.server);
  if (!server) {
    return unknownServer(
      call.server,
      servers.map(({ name }) => name),
    );
  }
  const args = parseArguments(call.arguments, stages.limits);
  if (!args.ok) return args;
  const tool = server.tools.find(({ name }) => name === call.tool);
  // A tool that is not in the catalog is unknown or denied, or its server was never ready: the upstream's own answer says which.
  if (!tool) return sendUnknown(stages, run, call, args.value, signal);
  const judged = judgeCall(stages, run, call, tool, args.value);
  return judged.ok ? send(stages, run, call, tool, judged, signal) : judged.answer;
}

/** Sends a call that nothing speaks against. A person is asked last; one who says no has answered: the call counts. */
async function send(
  stages: ToolCallStages,
  run: CallingRun,
  call: ToolCall,
  tool: CatalogTool,
  admitted: Admitted,
  signal: AbortSignal,
): Promise<ToolAnswer> {
  const isAsked = admitted.verdict.decision === 'ask';
  const refusal = isAsked ? await askPerson(run, call, tool, admitted, signal) : undefined;
  if (refusal) return refusal;
  const hasChanged = (): boolean => isAsked && toolNow(stages, call) !== tool;
  if (hasChanged()) return changedMeanwhile(call);
  const unsent = await beforeSending(run, call, isRepeatable(tool), signal);
  if (unsent !== undefined) {
    admitted.giveBack();
    return unsent;
  }
  if (hasChanged()) return changedMeanwhile(call);
  const said = await stages.upstreams.call({ server: call.server, tool: tool.name, arguments: admitted.arguments }, signal);
  const answer = await run.policies.note(call.server, tool, said);
  return stages.observe?.(call.server, tool, answer) ?? answer;
}

/** The tool may come while that is written down: then the call is one of a tool that there is, with all that is decided about those. */
async function sendUnknown(
  stages: ToolCallStages,
  run: CallingRun,
  call: ToolCall,
  args: Record<string, unknown>,
  signal: AbortSignal,
): Promise<ToolAnswer> {
  const unsent = await beforeSending(run, call, false, signal);
  if (unsent !== undefined) return unsent;
  if (toolNow(stages, call)) return callNow(stages, run, call, signal);
  return stages.upstreams.call({ server: call.server, tool: call.tool, arguments: args }, signal);
}

/** Whether making the call twice is as good as once, as the tool says of itself. */
function isRepeatable({ annotations }: CatalogTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

/** The same object as before, unless its server has changed it. */
function toolNow({ upstreams }: ToolCallStages, call: ToolCall): CatalogTool | undefined {
  return upstreams
    .catalog()
    .servers.find(({ name }) => name === call.server)
    ?.tools.find(({ name }) => name === call.tool);
}

/** What was agreed to is not there any more. */
function changedMeanwhile({ server, tool }: ToolCall): ToolAnswer {
  return failedAnswer(
    'ERR_CALL_APPROVAL',
    `The server changed its tool "${server}.${tool}" while a person was asked. Nothing was sent.`,
    'Look at its new description and call it again: then a person is asked about that.',
  );
}
