import type { ElicitRequestFormParams, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { formOf } from '../approval-form.ts';
import { canAsk } from '../elicit.ts';
import type { ToolDeps } from '../execute-code.ts';
import type { ExecutionState } from '../execution-port.ts';
import type { AnswerForm, ExecuteResponse } from '../sandbox-port.ts';

/** Milliseconds between two looks of a client at a run: as long as it is likely to go on soon, and while it waits. */
const POLL_SOON_MS = 1_000;
const POLL_WAITING_MS = 5_000;
const MESSAGE_CHARS = 500;

/** What a task needs of its server. */
export interface TaskDeps extends ToolDeps {
  readonly server: McpServer;
}

/** An execution as a task, in the words that both revisions have. */
export interface TaskState {
  readonly taskId: string;
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollMs: number;
  /** What the client's user is asked, by the ids of the questions. */
  readonly questions: ReadonlyMap<string, ElicitRequestFormParams>;
  /** The answer, when it has ended. */
  readonly response?: ExecuteResponse;
}

/** A task as it is now; undefined when the principal has none by that id. */
export async function readTask(
  taskId: string,
  { ctx, form }: { readonly ctx: ServerContext; readonly form: AnswerForm },
  { port, server, principal }: TaskDeps,
): Promise<TaskState | undefined> {
  const known = await port.executionState(taskId, principal.id);
  if (known === undefined || known.status === 'running') return known && taskOf(known);
  const response = await port.waitExecution({ executionId: taskId, timeoutMs: 0 }, { signal: ctx.mcpReq.signal, form });
  // It may have ended meanwhile.
  if (isAnswer(response)) return { ...taskOf(known), status: endOf(known, response), ...messageOf(response), response };
  const asked = canAsk(ctx, server) ? (port.approvals?.open(taskId) ?? []).filter(({ kind }) => kind === 'approve') : [];
  const questions = new Map(asked.map((question) => [question.id, formOf(question)]));
  return { ...taskOf(known), ...messageOf(response), ...(questions.size > 0 && asking(questions)) };
}

function asking(questions: TaskState['questions']): Pick<TaskState, 'status' | 'pollMs' | 'questions'> {
  return { status: 'input_required', pollMs: POLL_SOON_MS, questions };
}

/** A task as it is told when it is made: the first look at it comes soon, however it is. */
export function newTask(state: ExecutionState): TaskState {
  return { ...taskOf(state), pollMs: POLL_SOON_MS };
}

/** An execution as a task, without its answer and its questions. */
export function taskOf({ executionId, status, createdAt, updatedAt, ttlMs }: ExecutionState): TaskState {
  return {
    taskId: executionId,
    status: status === 'running' || status === 'waiting' ? 'working' : status,
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(Math.max(createdAt, updatedAt)).toISOString(),
    ttlMs,
    pollMs: status === 'waiting' ? POLL_WAITING_MS : POLL_SOON_MS,
    questions: new Map(),
  };
}

function endOf({ status }: ExecutionState, { structured }: ExecuteResponse): TaskState['status'] {
  if (status !== 'running' && status !== 'waiting') return status;
  if (structured.status === 'completed') return 'completed';
  return structured.error?.code === 'ERR_EXECUTE_CANCELLED' ? 'cancelled' : 'failed';
}

/** Whether an answer is that of a run that has ended. */
export function isAnswer({ structured: { status } }: ExecuteResponse): boolean {
  return status === 'completed' || status === 'failed';
}

/** One line of what there is to say: what went wrong, or what it waits for first. */
function messageOf({ structured: { error, waiting: [first] = [] } }: ExecuteResponse): { statusMessage?: string } {
  if (error) return { statusMessage: `${error.code}: ${error.message}`.slice(0, MESSAGE_CHARS).toWellFormed() };
  switch (first?.kind) {
    case undefined:
      return {};
    case 'timer':
      return { statusMessage: `Waits until ${first.until}` };
    case 'tool':
      return { statusMessage: `Waits for ${first.server}.${first.tool}` };
    case 'approval':
      return {
        statusMessage: `Waits for a person to approve ${first.server}.${first.tool}; the operator can answer with \`ampoule approvals\``,
      };
  }
}
