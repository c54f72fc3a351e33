import type { RegisteredTool } from '@modelcontextprotocol/server';
import { interceptCalls } from '../intercept-calls.ts';
import { callAsTask } from './task-calls.ts';
import { handleTasks } from './task-methods.ts';
import { TASKS_EXTENSION } from './task-shapes.ts';
import type { TaskDeps } from './task-state.ts';

/**
 * Offers executions as tasks: as 2025-11-25 has them in its core, and by the extension of 2026-07-28. The SDK leaves out of what it sends what a
 * revision does not have. To be called before any tool is registered.
 * @returns what marks the tool whose calls can be tasks
 */
export function offerTasks(deps: TaskDeps): (tool: RegisteredTool) => void {
  deps.server.server.registerCapabilities({
    tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
    extensions: { [TASKS_EXTENSION]: {} },
  });
  interceptCalls(deps.server, (request, ctx, next) => callAsTask(request, ctx, next, deps));
  handleTasks(deps);
  return (tool) => void (tool.execution = { taskSupport: 'optional' });
}
