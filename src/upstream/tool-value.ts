import type { CallAnswer } from './call.ts';
import { failedAnswer } from './call.ts';

const MAX_ERROR_TEXT_BYTES = 4096;

// Part of Node 24, not yet of TypeScript's library.
const { rawJSON } = JSON as typeof JSON & { rawJSON: (text: string) => unknown };

/** The parts of a tools/call result that matter, checked by {@link parseToolResult}. */
interface ToolResult {
  readonly isError: boolean;
  readonly content: readonly Block[];
  readonly structuredContent?: unknown;
}

type Block = Readonly<Record<string, unknown>> & { readonly type: string };

/**
 * The answer to a call from the raw `result` of tools/call: a tool's own error, else the structured content, else the text
 * (parsed when it is one block of JSON), else the content blocks as they are.
 * @param maxBytes most bytes of the value's JSON text
 */
export function toolAnswer(rawResult: unknown, maxBytes: number): CallAnswer {
  const result = parseToolResult(rawResult);
  if (result === undefined) {
    return failedAnswer('ERR_UPSTREAM_PROTOCOL', 'the server answered tools/call with something that is not a tool result');
  }
  if (result.isError) return toolError(result.content, maxBytes);
  const value = valueText(result);
  return Buffer.byteLength(value) > maxBytes ? tooLarge(maxBytes, Buffer.from(value)) : { ok: true, value };
}

/**
 * The answer when there was more than `maxBytes` of it.
 * @param whole JSON text of the value, or of the message, where there is one
 */
export function tooLarge(maxBytes: number, whole?: Uint8Array, isMessage = false): CallAnswer {
  const hint = 'Ask for less: use the filters, page sizes or fields that the tool offers.';
  const message = `the tool's answer is larger than ${maxBytes} bytes`;
  return { ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE', message, hint, ...(whole && { whole }), ...(isMessage && { isMessage }) } };
}

function parseToolResult(raw: unknown): ToolResult | undefined {
  if (!isRecord(raw)) return undefined;
  const { content = [], isError = false, structuredContent } = raw;
  if (!Array.isArray(content) || !content.every(isBlock)) return undefined;
  if (typeof isError !== 'boolean') return undefined;
  // A result that has neither is an answer to some other request, or rubbish.
  if (raw['content'] === undefined && structuredContent === undefined) return undefined;
  return { isError, content, structuredContent };
}

function valueText(result: ToolResult): string {
  const { content, structuredContent } = result;
  if (structuredContent !== undefined && structuredContent !== null) return jsonText(structuredContent);
  const [first, ...others] = content;
  if (first === undefined) return 'null';
  if (!content.every(isText)) return jsonText({ content });
  if (others.length === 0 && isText(first) && isJson(first.text)) return first.text.trim();
  return JSON.stringify(joinTexts(content));
}

function toolError(content: readonly Block[], maxBytes: number): CallAnswer {
  const text = joinTexts(content.filter(isText));
  const message = text.trim() === '' ? 'the tool answered with an error without text' : truncate(text, MAX_ERROR_TEXT_BYTES);
  const kept = Buffer.byteLength(jsonText(content)) > maxBytes ? [{ type: 'text', text: message }] : content;
  return { ok: false, error: { code: 'ERR_CALL_TOOL', message, content: kept } };
}

function joinTexts(content: readonly Block[]): string {
  return content
    .filter(isText)
    .map((block) => block.text)
    .join('\n');
}

/**
 * JSON text of what was parsed from JSON. A number too large for a double was parsed to Infinity, which JSON.stringify
 * makes null: it is written as a literal again, so that the program sees what a direct caller would.
 */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('null') ? JSON.stringify(value, keepInfinity) : text;
}

function keepInfinity(_key: string, value: unknown): unknown {
  if (value === Infinity) return rawJSON('1e400');
  return value === -Infinity ? rawJSON('-1e400') : value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function truncate(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  // A character that the cut goes through decodes to replacement characters: they go.
  return bytes.length <= maxBytes
    ? text
    : `${bytes
        .subarray(0, maxBytes)
        .toString()
        .replace(/\uFFFD+$/, '')}...`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBlock(value: unknown): value is Block {
  return isRecord(value) && typeof value['type'] === 'string';
}

function isText(block: Block): block is Block & { readonly text: string } {
  return block.type === 'text' && typeof block['text'] === 'string';
}
