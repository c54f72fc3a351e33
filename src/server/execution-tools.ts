import type { McpServer } from '@modelcontextprotocol/server';
import { answerCall, type ToolDeps } from './execute-code.ts';
import { callCancelExecution, callWaitExecution } from './execution-calls.ts';
import { cancelInputSchema, waitInputSchema } from './execution-input.ts';
import { CANCEL_TOOL_NAME, WAIT_TOOL_NAME } from './tool-name.ts';
import { advertiseUnchecked } from './tool-schema.ts';

// Every client carries these words: there are few of them, and the schema of the answers is listed once, with execute_code.
const WAIT = {
  title: 'Wait for a run',
  description: 'Waits for a run; answers as execute_code does.',
  inputSchema: advertiseUnchecked(waitInputSchema),
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const CANCEL = {
  title: 'End a run',
  description: 'Ends a run.',
  inputSchema: advertiseUnchecked(cancelInputSchema),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
};

/** Registers the tools for runs that go on without the request that began them. Their answers are those of `execute_code`. */
export function registerExecutionTools(server: McpServer, deps: ToolDeps): void {
  server.registerTool(WAIT_TOOL_NAME, WAIT, (args, ctx) => answerCall(callWaitExecution, args, { ctx, server, deps }));
  server.registerTool(CANCEL_TOOL_NAME, CANCEL, (args, ctx) => answerCall(callCancelExecution, args, { ctx, server, deps }));
}
