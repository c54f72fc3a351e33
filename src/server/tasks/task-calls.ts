import { CLIENT_CAPABILITIES_META_KEY, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { CallToolRequest, ServerContext } from '@modelcontextprotocol/server';
import { LIMITS } from '../../limits.ts';
import { answerForm, envelopeOf, versionOf } from '../answer-form.ts';
import { MODERN } from '../direct-call.ts';
import { sendAnswer } from '../execute-code.ts';
import { callExecuteCode } from '../execution-calls.ts';
import type { CallHandler, CallResult } from '../intercept-calls.ts';
import type { ExecuteResponse } from '../sandbox-port.ts';
import { TOOL_NAME } from '../tool-name.ts';
import { legacyTask, modernTask, TASKS_EXTENSION } from './task-shapes.ts';
import { isAnswer, newTask, type TaskDeps } from './task-state.ts';

/** A run that takes longer than so many milliseconds becomes a task of a client that takes tasks. Most are through before. */
const TASK_AFTER_MS = 500;
const SOONEST_MS = LIMITS.answerAfterMs.minimum;

/** A call, for which a client of 2025-11-25 may want a task. */
type TaskCall = CallToolRequest & { readonly params: { readonly task?: unknown } };

/**
 * Makes tasks of runs: in 2025-11-25 of those for which the client wants one, from 2026-07-28 on of those that go on, for clients that have the
 * extension. The id of a task is that of its execution.
 */
export function callAsTask(request: TaskCall, ctx: ServerContext, next: CallHandler, deps: TaskDeps): Promise<CallResult> {
  const { name, task, arguments: args = {} } = request.params;
  if (versionOf(ctx, deps.server) === MODERN) {
    return name === TOOL_NAME && hasTasks(ctx) && !isAnsweredItself(args, ctx) ? callModern(args, ctx, deps) : next(request, ctx);
  }
  if (task === undefined) return next(request, ctx);
  if (name === TOOL_NAME) return callLegacy(args, ctx, deps);
  throw new ProtocolError(ProtocolErrorCode.MethodNotFound, `The tool ${name.slice(0, 64)} cannot be called as a task.`);
}

/** Whether the caller wants an answer about a run that goes on, or comes back with answers to the questions of one. */
function isAnsweredItself(args: Readonly<Record<string, unknown>>, { mcpReq }: ServerContext): boolean {
  return args['wait'] === 'return-when-waiting' || 'answerAfterMs' in args || mcpReq.requestState() !== undefined;
}

/** Whether the client of a request has the extension of 2026-07-28. */
export function hasTasks({ mcpReq }: ServerContext): boolean {
  const capabilities = envelopeOf(mcpReq)[CLIENT_CAPABILITIES_META_KEY] as { extensions?: Readonly<Record<string, unknown>> } | undefined;
  const declared = capabilities?.extensions?.[TASKS_EXTENSION];
  return typeof declared === 'object' && declared !== null;
}

async function callModern(args: Readonly<Record<string, unknown>>, ctx: ServerContext, deps: TaskDeps): Promise<CallResult> {
  const response = await begin({ ...args, answerAfterMs: TASK_AFTER_MS }, ctx, deps);
  if (isAnswer(response)) return sendAnswer(response, { ctx, server: deps.server, deps });
  const state = await deps.port.executionState(response.structured.executionId, deps.principal.id);
  if (state === undefined) return sendAnswer(response, { ctx, server: deps.server, deps });
  // The SDK's types know no results of tasks; it sends what it is given.
  return { ...modernTask(newTask(state)), resultType: 'task' } as unknown as CallResult;
}

async function callLegacy(args: Readonly<Record<string, unknown>>, ctx: ServerContext, deps: TaskDeps): Promise<CallResult> {
  const { answerAfterMs: asked = SOONEST_MS } = args;
  // What is no number is refused with the other arguments.
  const answerAfterMs = typeof asked === 'number' ? Math.min(asked, SOONEST_MS) : asked;
  const response = await begin({ ...args, answerAfterMs }, ctx, deps);
  const { error } = response.structured;
  // It has failed before there was a task, and as one it would be told without the reason.
  if (error) throw refusal(error);
  const state = await deps.port.executionState(response.structured.executionId, deps.principal.id);
  // Where nothing is kept there are no tasks: the answer is that of a plain call.
  if (state === undefined) return sendAnswer(response, { ctx, server: deps.server, deps });
  // The SDK demands content of every result of a tool.
  return { content: [], task: legacyTask(newTask(state)) };
}

function begin(args: Readonly<Record<string, unknown>>, ctx: ServerContext, deps: TaskDeps): Promise<ExecuteResponse> {
  const form = answerForm(deps.answers ?? 'auto', versionOf(ctx, deps.server));
  return callExecuteCode(args, { signal: ctx.mcpReq.signal, form }, deps);
}

function refusal({ code, message, hint, diagnostics = [] }: NonNullable<ExecuteResponse['structured']['error']>): ProtocolError {
  const findings = diagnostics.slice(1).map((finding) => finding.message);
  const text = [`${code}: ${message}`, ...findings, ...(hint === undefined ? [] : [hint])].join('\n');
  return new ProtocolError(code === 'ERR_INTERNAL' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams, text);
}
