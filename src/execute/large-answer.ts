import type { AnswerMessage, RunMessage } from './worker-protocol.ts';

/** From this size on an answer stays bytes all the way into the guest's memory: then it changes threads without being copied. */
const LARGE_BYTES = 64 * 1024;
const PAGE_BYTES = 65_536;

/** Executor: the answer that a frame brought. */
export function answerOf(payload: Buffer): string | Uint8Array<ArrayBuffer> {
  // The memory of a frame is that of others too.
  return payload.length > LARGE_BYTES ? new Uint8Array(payload) : payload.toString('utf8');
}

/** Memory in pages of 64 KiB that a large answer holds until its run has it; 0 for any other message. */
export function pagesOf(message: RunMessage): number {
  return message.type === 'answer' && message.answer instanceof Uint8Array ? Math.ceil(message.answer.length / PAGE_BYTES) : 0;
}

/** What a run hears in the place of an answer that there is no memory for. */
export function withoutMemory({ type, call }: AnswerMessage): AnswerMessage {
  const code = 'ERR_UPSTREAM_TOO_LARGE';
  const message = 'There is no memory for the answer at this moment; what the tool did is done, and its answer is lost.';
  const hint = 'Ask the tool for less, or make fewer calls at once.';
  return { type, call, ok: false, code, answer: JSON.stringify({ error: { code, message, hint } }) };
}
