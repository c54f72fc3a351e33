import type { ContentBlock } from '@modelcontextprotocol/server';
import type { ExecuteOutput, KeptItem, ReducedOutput, WaitingOutput } from './output-schema.ts';
import { renderText, statusText } from './text.ts';
import { waitingAnswer } from './waiting-answer.ts';

/** Where an answer says what there is to say: in `structuredContent`, or in the text. Never in both. */
export type AnswerForm = 'structured' | 'text';

/** The answer to one call of `execute_code`. */
export interface ExecuteResponse {
  /** All of it, as our own side knows it. */
  readonly structured: ExecuteOutput;
  /** What is sent of it as `structuredContent` where the text has the rest, or where there is no more yet. */
  readonly reduced?: ReducedOutput | WaitingOutput;
  readonly content: readonly ContentBlock[];
  /** That the run failed is what the request asked for. */
  readonly isWanted?: boolean;
}

export interface AnswerExtras {
  readonly form?: AnswerForm | undefined;
  /** JSON text of `structured.result`; undefined for no result. */
  readonly resultJson?: string | undefined;
  readonly blocks?: readonly ContentBlock[];
}

/** The place in `content` of the first block that a program returned. */
export const FIRST_BLOCK = 1;

/** An answer in one of the two forms. */
export function answer(structured: ExecuteOutput, { form = 'structured', resultJson, blocks = [] }: AnswerExtras = {}): ExecuteResponse {
  if (structured.next !== undefined) return waitingAnswer(structured, form);
  // What the program has passed on itself is not linked a second time.
  const passedOn = new Set(blocks.map((block) => (block.type === 'resource_link' ? block.uri : undefined)));
  const links = (structured.kept ?? []).filter(({ what, uri }) => what !== 'content' && !passedOn.has(uri)).map(linkTo);
  const attachments = blocks.length + links.length;
  const text = form === 'text' ? renderText(structured, { resultJson, attachments }) : statusText(structured, attachments);
  const content: ContentBlock[] = [{ type: 'text', text }, ...blocks, ...links];
  return form === 'text' ? { structured, reduced: reduce(structured), content } : { structured, content };
}

/** What the output schema demands, and what a program around the model needs to go on. */
function reduce({ status, executionId, session, error }: ExecuteOutput): ReducedOutput {
  return {
    status,
    executionId,
    ...(session !== undefined && { session }),
    ...(error && { error: { code: error.code, message: 'The text says what went wrong.' } }),
    restIn: 'text',
  };
}

const NAMES: Readonly<Record<KeptItem['what'], string>> = {
  result: 'whole result',
  logs: 'whole log',
  call: 'whole answer of a tool',
  content: 'content',
};

function linkTo({ what, uri, bytes }: KeptItem): ContentBlock {
  return { type: 'resource_link', uri, name: NAMES[what], size: bytes };
}
