import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Diagnostic } from '../errors.ts';
import { fitsBounds, parseMeasured, type JsonBounds } from './bounded-json.ts';
import { outlineJson } from './json-outline.ts';
import type { Outline, SeenJson } from './outline.ts';
import { previewJson } from './json-preview.ts';
import { changeStrings, decodeString, type ChangeText } from './json-strings.ts';
import { keepWhole, type Keep } from './keep.ts';
import { takeContent } from './large-content.ts';
import type { KeptItem } from './output-schema.ts';
import { textPages } from './text-lines.ts';

/** A preview is for finding one's way: far smaller than what an answer may hold. */
const PREVIEW_BYTES = 8 * 1024;

/** What an answer says of a result that is too large for it. */
export interface LargeResult {
  readonly value: unknown;
  /** JSON text of `value`, where it is the whole result. */
  readonly json?: string;
  readonly blocks: readonly ContentBlock[];
  readonly kept: readonly KeptItem[];
  readonly warnings: readonly Diagnostic[];
}

export interface LargeInput {
  /** JSON text from the guest. */
  readonly bytes: Uint8Array;
  /** What fits into an answer. */
  readonly bounds: JsonBounds;
  readonly maxContentBytes: number;
  /** The place in `content` that the first block will have. */
  readonly firstIndex: number;
  readonly keep: Keep | undefined;
  readonly hide: ChangeText | undefined;
}

/**
 * A large result as an answer has it: its images and the like as content, and then whole if the rest is small, else as a preview with the
 * whole kept. Nothing is parsed that has not been measured, and no more than a slice at a time.
 * @throws SandboxError ERR_EXECUTE_RESULT_INVALID when it is not JSON
 */
export async function presentLarge({ bytes, bounds, maxContentBytes, firstIndex, keep, hide }: LargeInput): Promise<LargeResult> {
  let seen = await outlineJson(bytes);
  const content = await takeContent(seen.root, bytes, { maxBytes: maxContentBytes, firstIndex, keep });
  const rest = hide ? await changeStrings(content.rest, hide) : content.rest;
  const base = { blocks: content.blocks, kept: content.kept, warnings: content.warnings };
  const json = rest.length <= bounds.maxBytes ? Buffer.from(rest.buffer, rest.byteOffset, rest.length).toString('utf8') : undefined;
  if (json !== undefined && fitsBounds(json, bounds)) return { ...base, value: parseMeasured(json), json };
  if (rest !== bytes) seen = await outlineJson(rest);
  const { value, item, warning } = await previewAndKeep(rest, seen, {
    what: 'result',
    keep,
    maxBytes: Math.min(PREVIEW_BYTES, bounds.maxBytes),
  });
  return {
    ...base,
    value,
    kept: item ? [item, ...base.kept] : base.kept,
    warnings: warning ? [warning, ...base.warnings] : base.warnings,
  };
}

export interface PreviewedWhole {
  readonly value: unknown;
  readonly item?: KeptItem;
  readonly warning?: Diagnostic;
}

/** The preview of a large JSON text, with the whole kept: a string as the text that it says, everything else as JSON. */
export async function previewAndKeep(
  bytes: Uint8Array,
  seen: SeenJson,
  { what, keep, maxBytes }: { what: KeptItem['what']; keep: Keep | undefined; maxBytes: number },
): Promise<PreviewedWhole> {
  const { value, shortened } = previewJson(seen.root, bytes, maxBytes);
  const isText = seen.root.kind === 'text';
  const whole = isText ? await decodeString(bytes, seen.root) : bytes;
  const pages = isText ? await textPages(whole, 'text/plain') : jsonPages(seen, whole.length);
  const outcome = await keepWhole(keep, what, { bytes: whole, pages, shortened });
  return 'item' in outcome ? { value, item: outcome.item } : { value, warning: outcome.warning };
}

function jsonPages({ root, marks }: SeenJson, bytes: number): Parameters<Keep>[1] {
  const mimeType = 'application/json';
  return isList(root) ? { mimeType, unit: 'items', total: root.total, marks } : { mimeType, unit: 'bytes', total: bytes, marks: [] };
}

function isList(root: Outline): root is Extract<Outline, { kind: 'list' }> {
  return root.kind === 'list';
}
