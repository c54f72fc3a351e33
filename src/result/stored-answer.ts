import type { ContentBlock } from '@modelcontextprotocol/server';
import { answer, FIRST_BLOCK, type AnswerForm, type ExecuteResponse } from './answer.ts';
import type { ExecuteOutput } from './output-schema.ts';

/** An answer that is kept, without what can be made of the rest. */
interface StoredAnswer {
  readonly structured: ExecuteOutput;
  /** The content blocks that the program returned. */
  readonly blocks: readonly ContentBlock[];
}

/** The answer of an execution as JSON text for the store. It says the same in both forms, so it is kept in neither. */
export function writeAnswer({ structured, content }: ExecuteResponse): string {
  return JSON.stringify({ structured, blocks: blocksOf(structured, content) } satisfies StoredAnswer);
}

/** @throws Error for a text that is no such answer */
export function readAnswer(text: string, form: AnswerForm | undefined): ExecuteResponse {
  const { structured, blocks } = JSON.parse(text) as StoredAnswer; // written by us, and never by a program
  return answerIn(structured, blocks, form);
}

/** The same answer in another form. */
export function inForm({ structured, content }: ExecuteResponse, form: AnswerForm | undefined): ExecuteResponse {
  return answerIn(structured, blocksOf(structured, content), form);
}

function answerIn(structured: ExecuteOutput, blocks: readonly ContentBlock[], form: AnswerForm | undefined): ExecuteResponse {
  const resultJson = structured.result === undefined ? undefined : JSON.stringify(structured.result);
  return answer(structured, { form, resultJson, blocks });
}

/** Behind the blocks of the program come links to what was kept, which are made anew. */
function blocksOf({ kept = [] }: ExecuteOutput, content: readonly ContentBlock[]): readonly ContentBlock[] {
  const all = content.slice(FIRST_BLOCK);
  const own = new Set(kept.filter(({ what }) => what !== 'content').map(({ uri }) => uri));
  let end = all.length;
  for (let last = all[end - 1]; last?.type === 'resource_link' && own.delete(last.uri); last = all[end - 1]) end--;
  return all.slice(0, end);
}
