import { outlineJson } from './json-outline.ts';
import type { Outline } from './outline.ts';
import { decodeString } from './json-strings.ts';

/**
 * JSON text of what a tool answered, from the message that the answer came in: as with smaller answers the structured content, else one
 * text, which may be JSON itself, else all content. Works in slices. The whole message where it has none of them.
 */
export async function valueOfMessage(bytes: Uint8Array): Promise<Uint8Array> {
  const result = memberOf((await outlineJson(bytes)).root, 'result');
  const structured = memberOf(result, 'structuredContent');
  if (structured && !(structured.kind === 'plain' && structured.value === null)) return jsonOf(bytes, structured);
  const content = memberOf(result, 'content');
  if (content?.kind !== 'list') return bytes;
  const text = content.total === 1 ? memberOf(content.items[0], 'text') : undefined;
  if (text?.kind !== 'text') return Buffer.concat([Buffer.from('{"content":'), jsonOf(bytes, content), Buffer.from('}')]);
  const decoded = await decodeString(bytes, text);
  return (await isJson(decoded)) ? decoded : jsonOf(bytes, text);
}

function memberOf(outline: Outline | undefined, name: string): Outline | undefined {
  return outline?.kind === 'record' ? outline.members.find(({ key }) => key === name)?.value : undefined;
}

function jsonOf(bytes: Uint8Array, { kind, start, end }: Outline): Uint8Array {
  return kind === 'text' ? bytes.subarray(start - 1, end + 1) : bytes.subarray(start, end);
}

async function isJson(bytes: Uint8Array): Promise<boolean> {
  try {
    await outlineJson(bytes);
    return true;
  } catch {
    return false;
  }
}
