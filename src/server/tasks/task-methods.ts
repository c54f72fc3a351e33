import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { LIMITS } from '../../limits.ts';
import { answerForm, versionOf } from '../answer-form.ts';
import { MODERN } from '../direct-call.ts';
import { answersIn } from '../approval-form.ts';
import { askNow } from '../ask-now.ts';
import { canAsk } from '../elicit.ts';
import type { ExecuteResponse } from '../sandbox-port.ts';
import { toToolResult, type AnswerReader } from '../tool-result.ts';
import { hasTasks } from './task-calls.ts';
import { detailedTask, legacyTask, RELATED_TASK, TASKS_EXTENSION } from './task-shapes.ts';
import { isAnswer, readTask, taskOf, type TaskDeps, type TaskState } from './task-state.ts';

/** Tasks that one list has. */
const MAX_LISTED = 100;
const MAX_ID = 100;

const taskParams = { params: z.object({ taskId: z.string().min(1).max(MAX_ID) }) };
const listParams = { params: z.object({ cursor: z.string().optional() }) };

/** A request about a task, and who reads the answer. */
interface Asked {
  readonly taskId: string;
  readonly ctx: ServerContext;
  readonly reader: AnswerReader;
  readonly isModern: boolean;
}

type Handle = (asked: Asked, deps: TaskDeps) => Promise<object>;

/**
 * Answers the requests about tasks of both revisions. In 2026-07-28 `tasks/result` and `tasks/list` are no methods, which the SDK sees to; before,
 * `tasks/update` is none.
 */
export function handleTasks(deps: TaskDeps): void {
  const { server } = deps.server;
  const about = (handle: Handle) => async (params: { taskId: string }, ctx: ServerContext) => ({
    ...(await handle(asked(params.taskId, ctx, deps), deps)),
  });
  server.setRequestHandler('tasks/get', taskParams, about(getTask));
  server.setRequestHandler('tasks/cancel', taskParams, about(cancelTask));
  server.setRequestHandler('tasks/update', taskParams, about(updateTask));
  server.setRequestHandler('tasks/result', taskParams, about(taskResult));
  server.setRequestHandler('tasks/list', listParams, async ({ cursor }) => ({ ...(await listTasks(cursor, deps)) }));
}

function asked(taskId: string, ctx: ServerContext, deps: TaskDeps): Asked {
  const version = versionOf(ctx, deps.server);
  const isModern = version === MODERN;
  if (isModern && !hasTasks(ctx)) {
    const requiredCapabilities = { extensions: { [TASKS_EXTENSION]: {} } };
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities }, 'This request is for clients that have the tasks extension.');
  }
  return { taskId, ctx, reader: { form: answerForm(deps.answers ?? 'auto', version), version }, isModern };
}

const getTask: Handle = async (request, deps) => {
  const task = await findTask(request, deps);
  return request.isModern ? detailedTask(task, (response) => toToolResult(response, deps, request.reader)) : legacyTask(task);
};

const cancelTask: Handle = async (request, deps) => {
  const task = await findTask(request, deps);
  const isOpen = task.status === 'working' || task.status === 'input_required';
  if (isOpen) await deps.port.cancelExecution(task.taskId, { signal: request.ctx.mcpReq.signal });
  else if (!request.isModern) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `The task has ended: it is ${task.status}.`);
  }
  return request.isModern ? {} : legacyTask(await findTask(request, deps));
};

/** Takes the answers to questions; what is not one of them changes nothing. */
const updateTask: Handle = async (request, deps) => {
  if (!request.isModern) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
  const { taskId } = await findTask(request, deps);
  await deps.port.approvals?.answer(taskId, deps.principal.id, answersIn(request.ctx));
  return {};
};

/** The result, as soon as there is one. Meanwhile the client's user is asked what there is to ask, where the client can be asked. */
const taskResult: Handle = async (request, deps) => {
  const { taskId } = await findTask(request, deps);
  const { ctx, reader } = request;
  const endWait = deps.runs.beginWait(deps.principal.id);
  if (endWait === undefined) throw new ProtocolError(ProtocolErrorCode.InternalError, 'Too many results are waited for: use tasks/get.');
  const detach = canAsk(ctx, deps.server) ? deps.port.approvals?.attach(taskId, askNow(ctx)) : undefined;
  try {
    const result = toToolResult(await untilEnded(request, deps), deps, reader);
    return { ...result, _meta: { [RELATED_TASK]: { taskId } } } satisfies CallToolResult;
  } finally {
    detach?.();
    endWait();
  }
};

async function untilEnded({ taskId, ctx, reader }: Asked, { port, closing, runs }: TaskDeps): Promise<ExecuteResponse> {
  const signal = AbortSignal.any([ctx.mcpReq.signal, closing]);
  const request = { executionId: taskId, timeoutMs: LIMITS.answerAfterMs.maximum };
  while (!signal.aborted) {
    const response = await runs.track(port.waitExecution(request, { signal, form: reader.form }));
    if (isAnswer(response)) return response;
  }
  throw new ProtocolError(ProtocolErrorCode.InternalError, 'ERR_SERVER_CLOSING: the task goes on; ask again when the server is back.');
}

async function findTask({ taskId, ctx, reader }: Asked, deps: TaskDeps): Promise<TaskState> {
  const task = await readTask(taskId, { ctx, form: reader.form }, deps);
  if (task !== undefined) return task;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'ERR_EXECUTION_UNKNOWN: there is no task by that id.');
}

/** The newest ones; there is no second page. */
async function listTasks(cursor: string | undefined, { port, principal }: TaskDeps): Promise<{ tasks: object[] }> {
  if (cursor !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The list of tasks has one page: there is no cursor.');
  const states = await port.listExecutions(principal.id, MAX_LISTED);
  return { tasks: states.map((state) => legacyTask(taskOf(state))) };
}
