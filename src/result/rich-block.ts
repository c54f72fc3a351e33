import { specTypeSchemas, type ContentBlock } from '@modelcontextprotocol/server';
import { mediaProblem } from './media-type.ts';

/** An MCP content block as a program returned it, its fields untouched. */
export type RichBlock = Exclude<ContentBlock, { type: 'text' }>;
export type RichType = RichBlock['type'];

/** What stands in the structured result where a block was: enough to find it again in `content`. */
export interface Placeholder {
  readonly type: ContentBlock['type'];
  readonly mimeType?: string;
  readonly uri?: string;
  readonly bytes?: number;
  readonly contentIndex: number;
}

const RICH_TYPES: ReadonlySet<unknown> = new Set<RichType>(['image', 'audio', 'resource', 'resource_link']);
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Whether JSON text can hold a block at all: almost no result does. Our guest writes JSON without blanks. */
export function mayHoldBlocks(json: string): boolean {
  return json.includes('"type":"image"') || json.includes('"type":"audio"') || json.includes('"type":"resource');
}

/** A value that is a block, or claims to be one and is none; undefined for all other data. */
export function readBlock(value: unknown): { readonly block: RichBlock } | { readonly problem: string } | undefined {
  if (!claimsBlock(value)) return undefined;
  const problem = problemOf(value);
  if (problem !== undefined) return { problem };
  const checked = specTypeSchemas.ContentBlock['~standard'].validate(value);
  // The value itself goes on, not what the schema has made of it: fields that it does not know stay.
  if (!(checked instanceof Promise) && checked.issues === undefined) return { block: value as unknown as RichBlock };
  return { problem: 'one of its fields is not as MCP has it' };
}

type Claim = Readonly<Record<string, unknown>> & { readonly type: RichType };

/** Data of others may well have a `type` of "image" too: only with what makes such a block it is meant as one. */
function claimsBlock(value: unknown): value is Claim {
  if (!isRecord(value) || !RICH_TYPES.has(value['type'])) return false;
  switch (value['type'] as RichType) {
    case 'image':
    case 'audio':
      return typeof value['data'] === 'string';
    case 'resource':
      return isRecord(value['resource']) && typeof value['resource']['uri'] === 'string';
    case 'resource_link':
      return typeof value['uri'] === 'string' && typeof value['name'] === 'string';
  }
}

function problemOf(value: Claim): string | undefined {
  switch (value.type) {
    case 'image':
    case 'audio': {
      const data = String(value['data']);
      return isBase64(data) ? mediaProblem(value.type, value['mimeType'], data) : 'its data is not base64';
    }
    case 'resource': {
      const { uri, text, blob } = value['resource'] as Readonly<Record<string, unknown>>;
      if (uri === '') return 'its resource has no uri';
      if (typeof text === 'string') return undefined;
      if (typeof blob !== 'string') return 'its resource has neither text nor blob';
      return isBase64(blob) ? undefined : 'its blob is not base64';
    }
    case 'resource_link':
      return value['uri'] === '' || value['name'] === '' ? 'its uri or its name is empty' : undefined;
  }
}

export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** What is shown in the place of a block. */
export function placeholderOf(block: ContentBlock, contentIndex: number): Placeholder {
  switch (block.type) {
    case 'image':
    case 'audio':
      return { type: block.type, mimeType: block.mimeType, bytes: decodedBytes(block.data), contentIndex };
    case 'resource': {
      const { uri, mimeType } = block.resource;
      return { type: block.type, uri, ...(mimeType !== undefined && { mimeType }), bytes: resourceBytes(block.resource), contentIndex };
    }
    case 'resource_link':
      return { type: block.type, uri: block.uri, ...(block.mimeType !== undefined && { mimeType: block.mimeType }), contentIndex };
    case 'text':
      return { type: block.type, bytes: Buffer.byteLength(block.text), contentIndex };
  }
}

function resourceBytes(resource: Extract<RichBlock, { type: 'resource' }>['resource']): number {
  return 'text' in resource && typeof resource.text === 'string'
    ? Buffer.byteLength(resource.text)
    : decodedBytes('blob' in resource ? resource.blob : '');
}

function decodedBytes(data: string): number {
  return Buffer.byteLength(data, 'base64');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
