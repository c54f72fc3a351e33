import type { CallToolResult, McpServer, RegisteredTool } from '@modelcontextprotocol/server';
import { specTypeSchemas } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { SandboxError, toSandboxError } from '../errors.ts';
import { answerForm, versionOf } from './answer-form.ts';
import { describeTool } from './describe.ts';
import { callAsking } from './elicit.ts';
import { executeInputSchema, parseExecuteRequest } from './input-schema.ts';
import { knownContent } from './known-content.ts';
import { askedLevel, type LogLevels } from './log-levels.ts';
import { sendLog } from './log-notices.ts';
import type { ParkedRuns } from './parked-runs.ts';
import type { RunTracker } from './run-tracker.ts';
import type { AnswerForm, ExecuteOptions, ExecuteResponse } from './sandbox-port.ts';
import type { ServerOptions } from './server-options.ts';
import { TOOL_NAME } from './tool-name.ts';
import { advertise, advertiseUnchecked } from './tool-schema.ts';

export interface ExecuteCodeDeps extends Pick<ServerOptions, 'port' | 'limits' | 'log' | 'answers'> {
  readonly runs: RunTracker;
  /** Runs that wait for a person between two requests. */
  readonly parked: ParkedRuns;
  /** What clients have asked to hear of logs. */
  readonly levels: LogLevels;
  /** Fires when the server begins to close, with a SandboxError as its reason. */
  readonly closing: AbortSignal;
}

const INPUT = advertiseUnchecked(executeInputSchema);

/** Registers the one tool of Ampoule. Whatever goes wrong in a call is a tool result with a code, never a protocol error. */
export function registerExecuteCode(server: McpServer, deps: ExecuteCodeDeps & { readonly principal: Principal }): RegisteredTool {
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
  return server.registerTool(TOOL_NAME, config, async (args, ctx) => {
    const version = versionOf(ctx, server);
    const form = answerForm(deps.answers ?? 'auto', version);
    const response = await callAsking({ ctx, server, form, deps, run: (caller) => callExecuteCode(args, caller, deps) });
    if ('resultType' in response) return response;
    const level = askedLevel(ctx, deps.levels, deps.principal);
    if (level !== undefined) await sendLog(ctx, response, level);
    return toToolResult(response, deps, { form, version });
  });
}

/** Runs a call of the tool. Never throws: whatever goes wrong is an answer with a code. */
export async function callExecuteCode(args: unknown, caller: ExecuteOptions, deps: ExecuteCodeDeps): Promise<ExecuteResponse> {
  const { port, log, closing } = deps;
  try {
    closing.throwIfAborted();
    const request = parseExecuteRequest(args, deps.limits);
    const signal = AbortSignal.any([caller.signal, closing]);
    return await deps.runs.track(port.execute(request, { ...caller, signal }));
  } catch (thrown) {
    const error = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, 'execute_code failed unexpectedly');
    return port.refuse(error, caller.form);
  }
}

/** What is known of who reads an answer. */
export interface AnswerReader {
  readonly form: AnswerForm;
  /** Revision of the protocol; undefined when it names none. */
  readonly version: string | undefined;
}

/**
 * An answer as the result of a tool. Content that a program made goes through the SDK's schema, whichever way the result is sent:
 * what the protocol does not allow would break the client and not only this answer.
 */
export function toToolResult(response: ExecuteResponse, { port }: Pick<ExecuteCodeDeps, 'port'>, reader: AnswerReader): CallToolResult {
  const { structured, reduced = structured, content } = response;
  const isError = structured.status === 'failed';
  const [first, ...others] = content;
  if (first === undefined || others.length === 0) return { content: [...content], structuredContent: { ...reduced }, isError };
  const checked = others.map((block) => specTypeSchemas.ContentBlock['~standard'].validate(block));
  const blocks = checked.map((outcome) => ('value' in outcome ? outcome.value : undefined)).filter((block) => block !== undefined);
  if (blocks.length === others.length) {
    return { content: [first, ...knownContent(blocks, reader.version)], structuredContent: { ...reduced }, isError };
  }
  const message = 'The result holds MCP content that is not as the protocol has it.';
  return toToolResult(port.refuse(new SandboxError('ERR_EXECUTE_RESULT_INVALID', message), reader.form), { port }, reader);
}
