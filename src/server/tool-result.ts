import { specTypeSchemas, type CallToolResult } from '@modelcontextprotocol/server';
import { SandboxError } from '../errors.ts';
import { knownContent } from './known-content.ts';
import type { AnswerForm, ExecuteResponse, SandboxPort } from './sandbox-port.ts';

/** What is known of who reads an answer. */
export interface AnswerReader {
  readonly form: AnswerForm;
  /** Revision of the protocol; undefined when it names none. */
  readonly version: string | undefined;
}

interface ResultDeps {
  readonly port: Pick<SandboxPort, 'refuse'>;
}

/**
 * An answer as the result of a tool. Content that a program made goes through the SDK's schema, whichever way the result is sent:
 * what the protocol does not allow would break the client and not only this answer.
 */
export function toToolResult(response: ExecuteResponse, { port }: ResultDeps, reader: AnswerReader): CallToolResult {
  const { structured, reduced = structured, content, isWanted = false } = response;
  const isError = structured.status === 'failed' && !isWanted;
  const [first, ...others] = content;
  if (first === undefined || others.length === 0) return { content: [...content], structuredContent: { ...reduced }, isError };
  const checked = others.map((block) => specTypeSchemas.ContentBlock['~standard'].validate(block));
  const blocks = checked.map((outcome) => ('value' in outcome ? outcome.value : undefined)).filter((block) => block !== undefined);
  if (blocks.length === others.length) {
    return { content: [first, ...knownContent(blocks, reader.version)], structuredContent: { ...reduced }, isError };
  }
  const message = 'The result holds MCP content that is not as the protocol has it.';
  return toToolResult(port.refuse(new SandboxError('ERR_EXECUTE_RESULT_INVALID', message), reader.form), { port }, reader);
}
