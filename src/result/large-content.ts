import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Diagnostic } from '../errors.ts';
import { fitsBounds, parseMeasured } from './bounded-json.ts';
import type { Outline, RecordOutline } from './outline.ts';
import { keepWhole, type Keep } from './keep.ts';
import { mediaProblem } from './media-type.ts';
import type { KeptItem } from './output-schema.ts';
import { placeholderOf, readBlock } from './rich-block.ts';
import { contentWarning } from './rich-content.ts';

/** Content blocks that were found in a large JSON text, and what stands in their place. */
export interface FoundContent {
  readonly blocks: readonly ContentBlock[];
  readonly kept: readonly KeptItem[];
  readonly warnings: readonly Diagnostic[];
  /** The JSON text without them. */
  readonly rest: Uint8Array;
}

const RICH_TYPES: ReadonlySet<unknown> = new Set(['image', 'audio', 'resource', 'resource_link']);
const MAX_BLOCKS = 64;
const MAX_DEPTH = 16;
/** A block is parsed at once: what has more in it than any block needs is data. */
const BLOCK_BOUNDS = { maxDepth: 16, maxNodes: 1_000 };
/** Base64 that is decoded at once, in characters: a multiple of four. */
const SLICE_CHARACTERS = 256 * 1024;

/**
 * Takes the content blocks out of a large JSON text, as far as its outline goes: into the answer until there are `maxBytes` of them,
 * then as links to what is kept.
 */
export async function takeContent(
  root: Outline,
  bytes: Uint8Array,
  options: { readonly maxBytes: number; readonly firstIndex: number; readonly keep: Keep | undefined },
): Promise<FoundContent> {
  const taker = new ContentTaker(bytes, options);
  for (const { record, path } of findRecords(root)) await taker.take(record, path);
  return taker.found();
}

class ContentTaker {
  readonly #bytes: Uint8Array;
  readonly #options: { readonly firstIndex: number; readonly keep: Keep | undefined };
  readonly #blocks: ContentBlock[] = [];
  readonly #kept: KeptItem[] = [];
  readonly #warnings: Diagnostic[] = [];
  readonly #parts: Uint8Array[] = [];
  #copied = 0;
  #left: number;

  constructor(bytes: Uint8Array, options: { readonly maxBytes: number; readonly firstIndex: number; readonly keep: Keep | undefined }) {
    this.#bytes = bytes;
    this.#options = options;
    this.#left = options.maxBytes;
  }

  found(): FoundContent {
    const rest = this.#copied === 0 ? this.#bytes : Buffer.concat([...this.#parts, this.#bytes.subarray(this.#copied)]);
    return { blocks: this.#blocks, kept: this.#kept, warnings: this.#warnings, rest };
  }

  async take(record: RecordOutline, path: string): Promise<void> {
    if (this.#blocks.length >= MAX_BLOCKS) return;
    const length = record.end - record.start;
    if (length > this.#left) return this.#keepApart(record, path);
    const text = this.#text(record);
    const read = fitsBounds(text, { ...BLOCK_BOUNDS, maxBytes: length }) ? readBlock(parseMeasured(text)) : undefined;
    if (read && 'block' in read) {
      this.#left -= length;
      this.#put(record, read.block, {});
    } else if (read) this.#warnings.push(contentWarning(path, read.problem));
    await nextTurn();
    return undefined;
  }

  /** An image, audio or blob that is larger than what there is room for. */
  async #keepApart(record: RecordOutline, path: string): Promise<void> {
    const media = mediaOf(record, (outline) => this.#text(outline));
    if (!media) return;
    const { data, mimeType, kind } = media;
    const problem =
      kind === 'blob'
        ? undefined
        : mediaProblem(kind, mimeType, this.#text({ start: data.start, end: Math.min(data.end, data.start + 64) }));
    const decoded = problem === undefined ? await decodeBase64(this.#bytes, data) : undefined;
    if (!decoded) return void this.#warnings.push(contentWarning(path, problem ?? 'its data is not base64'));
    const pages = { mimeType, unit: 'bytes', total: decoded.length, marks: [] } as const;
    const outcome = await keepWhole(this.#options.keep, 'content', { bytes: decoded, pages, shortened: [] });
    if ('warning' in outcome) {
      this.#warnings.push(outcome.warning);
      return this.#replace(record, { type: kind === 'blob' ? 'resource' : kind, mimeType, bytes: decoded.length });
    }
    this.#kept.push(outcome.item);
    const name = `${kind}.${mimeType.split(/[/+;]/, 2)[1] ?? 'bin'}`;
    const link = { type: 'resource_link', uri: outcome.kept.uri, name, mimeType, size: decoded.length } as const;
    return this.#put(record, link, { type: kind === 'blob' ? 'resource' : kind, bytes: decoded.length });
  }

  #put(record: RecordOutline, block: ContentBlock, changes: object): void {
    this.#blocks.push(block);
    this.#replace(record, { ...placeholderOf(block, this.#options.firstIndex + this.#blocks.length - 1), ...changes });
  }

  #replace({ start, end }: RecordOutline, value: object): void {
    this.#parts.push(this.#bytes.subarray(this.#copied, start), Buffer.from(JSON.stringify(value)));
    this.#copied = end;
  }

  #text({ start, end }: { start: number; end: number }): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('utf8');
  }
}

/** Records that may be blocks, in the order of the text. What is inside of one is not looked at. */
function* findRecords(root: Outline, path = '$', depth = 0): Generator<{ record: RecordOutline; path: string }> {
  if (depth > MAX_DEPTH) return;
  if (root.kind === 'list') for (const [index, item] of root.items.entries()) yield* findRecords(item, `${path}[${index}]`, depth + 1);
  if (root.kind !== 'record') return;
  const type = root.members.find(({ key }) => key === 'type')?.value;
  // Every name of a block's type is short.
  if (type?.kind === 'text' && type.characters <= 13 && root.members.some(({ key }) => BLOCK_KEYS.has(key))) yield { record: root, path };
  else for (const { key, value } of root.members) yield* findRecords(value, `${path}.${key}`, depth + 1);
}

const BLOCK_KEYS = new Set(['data', 'resource', 'uri']);

interface Media {
  readonly kind: 'image' | 'audio' | 'blob';
  readonly mimeType: string;
  readonly data: { readonly start: number; readonly end: number };
}

function mediaOf(record: RecordOutline, textOf: (outline: Outline) => string): Media | undefined {
  const text = (of: RecordOutline, name: string): Outline | undefined =>
    of.members.find(({ key, value }) => key === name && value.kind === 'text')?.value;
  const type = text(record, 'type');
  const kind = type ? textOf(type) : '';
  if (!RICH_TYPES.has(kind)) return undefined;
  const resource = record.members.find(({ key }) => key === 'resource')?.value;
  const holder = kind === 'resource' && resource?.kind === 'record' ? resource : record;
  const data = text(holder, kind === 'resource' ? 'blob' : 'data');
  const mime = text(holder, 'mimeType');
  if (!data || kind === 'resource_link') return undefined;
  const mimeType = mime && mime.end - mime.start < 128 ? textOf(mime) : 'application/octet-stream';
  return { kind: kind === 'image' || kind === 'audio' ? kind : 'blob', mimeType, data };
}

/** The bytes, or undefined when it is not base64. Works in slices. */
async function decodeBase64(bytes: Uint8Array, { start, end }: { start: number; end: number }): Promise<Uint8Array | undefined> {
  if ((end - start) % 4 !== 0) return undefined;
  const parts: Uint8Array[] = [];
  for (let at = start; at < end; at += SLICE_CHARACTERS) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(SLICE_CHARACTERS, end - at)).toString('latin1');
    const isLast = at + SLICE_CHARACTERS >= end;
    if (!(isLast ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9+/]*$/).test(text)) return undefined;
    parts.push(Buffer.from(text, 'base64'));
    await nextTurn();
  }
  return Buffer.concat(parts);
}
