import type { ElicitRequestFormParams, ServerContext } from '@modelcontextprotocol/server';
import type { ApprovalAnswer, ApprovalQuestion } from '../policy/approval.ts';

/** Answers that one request brings. */
const MAX_ANSWERS = 1_000;

/** The text names the tool, made harmless: nothing else of it is a stranger's. */
export function formOf({ text }: Pick<ApprovalQuestion, 'text'>): ElicitRequestFormParams {
  return {
    mode: 'form',
    message: text,
    requestedSchema: {
      type: 'object',
      properties: { approve: { type: 'boolean', title: 'Allow this one call', default: false } },
      required: ['approve'],
    },
  };
}

/** What a request brings as answers, by the ids of the questions. */
export function answersIn({ mcpReq }: ServerContext): Map<string, ApprovalAnswer> {
  return new Map(
    Object.entries(mcpReq.inputResponses ?? {})
      .slice(0, MAX_ANSWERS)
      .map(([id, response]) => [id, answerIn(response)]),
  );
}

/** Only a plain yes is one, and only what a person sends a no: whatever else a client sends is no answer. */
export function answerIn(response: unknown): ApprovalAnswer {
  const { action, content } = (response ?? {}) as { action?: unknown; content?: { approve?: unknown } | null };
  if (action === 'accept' && content?.approve === true) return { granted: true };
  return { granted: false, reason: action === 'accept' || action === 'decline' ? 'refused' : 'dismissed' };
}
