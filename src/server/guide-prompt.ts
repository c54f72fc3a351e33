import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { guideText } from './guide.ts';
import type { SandboxPort } from './sandbox-port.ts';

/** A task is part of a conversation: longer ones are no task. */
const MAX_TASK = 20_000;

const CONFIG = {
  description: 'Solve a task with execute_code',
  argsSchema: z.object({ task: z.string().max(MAX_TASK).optional() }),
};

/** The prompt by which a user has a task solved with `execute_code`. */
export function registerGuidePrompt(server: McpServer, port: SandboxPort): void {
  server.registerPrompt('solve', CONFIG, ({ task }) => {
    const guide = guideText(port.description());
    const text = task === undefined || task.trim() === '' ? guide : `${guide}\nThe task: ${task}`;
    return { messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
}
