import type { CallToolResult, ElicitRequestFormParams } from '@modelcontextprotocol/server';
import type { TaskState } from './task-state.ts';

/** Name of the extension of 2026-07-28. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
/** Under which a result of 2025-11-25 names its task. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task';
/** JSON-RPC's code for what went wrong on our side. */
const INTERNAL_ERROR = -32_603;

/** `Task` of 2025-11-25. */
export interface LegacyTask {
  readonly taskId: string;
  readonly status: TaskState['status'];
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttl: number;
  readonly pollInterval: number;
}

/** A task in the words of 2025-11-25. */
export function legacyTask({ ttlMs, pollMs, questions: _questions, response: _response, ...task }: TaskState): LegacyTask {
  return { ...task, ttl: ttlMs, pollInterval: pollMs };
}

/** `Task` of the extension. */
interface ModernTask {
  readonly taskId: string;
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
}

/** `DetailedTask` of the extension: with its questions, or its end. */
export type DetailedTask = ModernTask &
  (
    | { readonly status: 'working' | 'cancelled' }
    | { readonly status: 'input_required'; readonly inputRequests: Readonly<Record<string, InputRequest>> }
    | { readonly status: 'completed'; readonly result: CallToolResult & { readonly resultType: 'complete' } }
    | { readonly status: 'failed'; readonly error: { readonly code: number; readonly message: string } }
  );

interface InputRequest {
  readonly method: 'elicitation/create';
  readonly params: ElicitRequestFormParams;
}

/** A task in the words of the extension, as it is told when it is made. */
export function modernTask({ pollMs, questions: _questions, response: _response, ...task }: TaskState): ModernTask & { status: string } {
  return { ...task, pollIntervalMs: pollMs };
}

/**
 * A task in the words of the extension. A program that fails is a completed task whose result is an error; failed is what went wrong inside of us.
 * @param toResult makes the result of the tool
 */
export function detailedTask(task: TaskState, toResult: (response: NonNullable<TaskState['response']>) => CallToolResult): DetailedTask {
  const base = modernTask(task);
  const { status, questions, response } = task;
  if (status === 'input_required') {
    const requests = [...questions].map(([id, params]) => [id, { method: 'elicitation/create', params }] as const);
    return { ...base, status, inputRequests: Object.fromEntries(requests) };
  }
  if (status === 'working' || status === 'cancelled' || response === undefined) {
    return { ...base, status: status === 'cancelled' ? status : 'working' };
  }
  const { error } = response.structured;
  if (error?.code === 'ERR_INTERNAL') {
    return { ...base, status: 'failed', error: { code: INTERNAL_ERROR, message: `${error.code}: ${error.message}` } };
  }
  return { ...base, status: 'completed', result: { ...toResult(response), resultType: 'complete' } };
}
