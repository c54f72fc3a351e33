import type { CallToolResult, InputRequiredResult, McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { answerForm, versionOf } from './answer-form.ts';
import { describeTool } from './describe.ts';
import { callAsking } from './elicit.ts';
import { callExecuteCode, callWaitExecution, type ExecuteCodeDeps, type ExecutionCall } from './execution-calls.ts';
import { executeInputSchema } from './input-schema.ts';
import { askedLevel } from './log-levels.ts';
import { sendLog } from './log-notices.ts';
import type { ExecuteResponse } from './sandbox-port.ts';
import { TOOL_NAME } from './tool-name.ts';
import { toToolResult } from './tool-result.ts';
import { advertise, advertiseUnchecked } from './tool-schema.ts';

/** What a tool needs to answer calls in the name of somebody. */
export interface ToolDeps extends ExecuteCodeDeps {
  readonly principal: Principal;
}

const INPUT = advertiseUnchecked(executeInputSchema);

/** Registers the tool that runs programs. Whatever goes wrong in a call is a tool result with a code, never a protocol error. */
export function registerExecuteCode(server: McpServer, deps: ToolDeps): RegisteredTool {
  const config = {
    title: 'Run TypeScript in a sandbox',
    description: describeTool(deps.port.description()),
    inputSchema: INPUT,
    outputSchema: advertise(deps.port.outputSchema),
    annotations: {
      title: 'Run TypeScript in a sandbox',
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  };
  return server.registerTool(TOOL_NAME, config, (args, ctx) => answerCall(callExecuteCode, args, { ctx, server, deps }));
}

/** A call as the SDK hands it over. */
export interface ToolCall {
  readonly ctx: ServerContext;
  readonly server: McpServer;
  readonly deps: ToolDeps;
}

/** Answers a call whose answer is that of an execution: in the client's form, with questions, progress and the lines of the log on the way. */
export async function answerCall(
  call: ExecutionCall,
  args: unknown,
  { ctx, server, deps }: ToolCall,
): Promise<CallToolResult | InputRequiredResult> {
  const form = answerForm(deps.answers ?? 'auto', versionOf(ctx, server));
  const isWait = call === callWaitExecution;
  const principal = deps.principal.id;
  const response = await callAsking({ ctx, server, form, deps, isWait, run: (caller) => call(args, { ...caller, principal }, deps) });
  return 'resultType' in response ? response : sendAnswer(response, { ctx, server, deps });
}

/** The answer as the result of a tool, after the lines of its log that the client wants to hear of. */
export async function sendAnswer(response: ExecuteResponse, { ctx, server, deps }: ToolCall): Promise<CallToolResult> {
  const level = askedLevel(ctx, deps.levels, deps.principal);
  if (level !== undefined) await sendLog(ctx, response, level);
  const version = versionOf(ctx, server);
  return toToolResult(response, deps, { form: answerForm(deps.answers ?? 'auto', version), version });
}
