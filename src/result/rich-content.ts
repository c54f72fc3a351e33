import { z } from 'zod';

const annotations = z.looseObject({
  audience: z.array(z.enum(['user', 'assistant'])).optional(),
  priority: z.number().min(0).max(1).optional(),
  lastModified: z.string().optional(),
});
const extras = { annotations: annotations.optional(), _meta: z.record(z.string(), z.unknown()).optional() };
const base64 = z.string().refine((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text));
const contents = { uri: z.string().min(1), mimeType: z.string().optional(), _meta: extras._meta };

const text = z.looseObject({ type: z.literal('text'), text: z.string(), ...extras });
const richBlock = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('image'), data: base64, mimeType: z.string().min(1), ...extras }),
  z.looseObject({ type: z.literal('audio'), data: base64, mimeType: z.string().min(1), ...extras }),
  z.looseObject({
    type: z.literal('resource'),
    resource: z.union([z.looseObject({ ...contents, text: z.string() }), z.looseObject({ ...contents, blob: base64 })]),
    ...extras,
  }),
  z.looseObject({
    type: z.literal('resource_link'),
    uri: z.string().min(1),
    name: z.string().min(1),
    title: z.string().optional(),
    description: z.string().optional(),
    mimeType: z.string().optional(),
    size: z.number().optional(),
    ...extras,
  }),
]);
const anyBlock = z.union([richBlock, text]);

/** An MCP content block as a program returned it, its shape checked and its fields untouched. */
type RichBlock = z.output<typeof anyBlock>;

/** What stands in the structured result where a block was: enough to find it again in `content`. */
interface Placeholder {
  readonly type: RichBlock['type'];
  readonly mimeType?: string;
  readonly uri?: string;
  readonly bytes?: number;
  readonly contentIndex: number;
}

export interface SplitResult {
  readonly result: unknown;
  readonly blocks: readonly RichBlock[];
}

/**
 * Takes MCP content blocks out of a result: the value itself, elements of an array, or `{ content: [...] }` as a tool answers.
 * What only looks like a block stays plain data, and so does text that comes without any other content. `firstIndex` is the place in `content` that the first block will have.
 */
export function splitRichContent(result: unknown, firstIndex: number): SplitResult {
  const blocks: RichBlock[] = [];
  const take = (value: unknown, schema: typeof richBlock | typeof anyBlock): unknown => {
    if (typeof value !== 'object' || value === null || !schema.safeParse(value).success) return value;
    const block = value as RichBlock; // the schema has just said so
    blocks.push(block);
    return placeholder(block, firstIndex + blocks.length - 1);
  };
  if (Array.isArray(result)) return { result: result.map((value) => take(value, richBlock)), blocks };
  if (isToolAnswer(result) && result.content.some((value) => richBlock.safeParse(value).success)) {
    return { result: { ...result, content: result.content.map((value) => take(value, anyBlock)) }, blocks };
  }
  return { result: take(result, richBlock), blocks };
}

function isToolAnswer(value: unknown): value is { content: unknown[] } {
  return (
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'content') && Array.isArray((value as { content: unknown }).content)
  );
}

function placeholder(block: RichBlock, contentIndex: number): Placeholder {
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
  if (typeof resource.text === 'string') return Buffer.byteLength(resource.text);
  return typeof resource.blob === 'string' ? decodedBytes(resource.blob) : 0;
}

function decodedBytes(data: string): number {
  return Buffer.byteLength(data, 'base64');
}
