import type { Diagnostic } from '../errors.ts';
import type { ToolAnswerError } from '../execute/run.ts';
import { outlineJson } from './json-outline.ts';
import { changeStrings, type ChangeText } from './json-strings.ts';
import type { Keep } from './keep.ts';
import { previewAndKeep } from './large-result.ts';
import type { KeptItem } from './output-schema.ts';
import { valueOfMessage } from './tool-message.ts';

/** A program reads the preview, not a model: it may be as long as is still handy. */
const PREVIEW_BYTES = 8 * 1024;

export interface ToldAnswer {
  readonly error: ToolAnswerError;
  readonly item?: KeptItem;
  readonly warning?: Diagnostic;
}

/** The error for a tool's answer that is too large: with a preview of it, and the name of the file that has the whole. */
export async function keepLargeAnswer(
  { whole, isMessage, ...error }: ToolAnswerError,
  { keep, hide }: { keep: Keep | undefined; hide: ChangeText | undefined },
): Promise<ToldAnswer> {
  if (whole === undefined) return { error };
  try {
    const answered = isMessage === true ? await valueOfMessage(whole) : whole;
    const bytes = hide ? await changeStrings(answered, hide) : answered;
    const { value, item, warning } = await previewAndKeep(bytes, await outlineJson(bytes), { what: 'call', keep, maxBytes: PREVIEW_BYTES });
    const preview = { type: 'text', text: JSON.stringify(value) };
    if (!item) return { error: { ...error, content: [preview] }, ...(warning && { warning }) };
    const path = item.uri.slice('ampoule://'.length);
    const hint = `Ask for less, or read it in pieces: readFile("${path}?offset=0&limit=100"), until ${item.expiresAt}.`;
    const link = { type: 'resource_link', uri: item.uri, name: path, size: item.bytes };
    return { error: { ...error, message: `${error.message}; the whole is kept as ${path}`, hint, content: [preview, link] }, item };
  } catch {
    // What is no JSON after all has no preview: it is too large all the same.
    return { error };
  }
}

/** What an error of {@link keepLargeAnswer} says is kept; which parts of the preview were shortened is in the preview alone. */
export function keptItemOf({ content, hint = '' }: ToolAnswerError): KeptItem | undefined {
  const link: unknown = Array.isArray(content) ? content[1] : undefined;
  const expiresAt = /, until (\S+)\.$/.exec(hint)?.[1];
  if (typeof link !== 'object' || link === null || expiresAt === undefined) return undefined;
  const { type, uri, size } = link as { type?: unknown; uri?: unknown; size?: unknown };
  if (type !== 'resource_link' || typeof uri !== 'string' || typeof size !== 'number' || !uri.startsWith('ampoule://')) return undefined;
  return { what: 'call', uri, bytes: size, expiresAt, shortened: [] };
}
