import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request of JSON-RPC, as far as the servers of this folder read it. */
export interface Request {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown> };
}

const ANY = { type: 'object', additionalProperties: true };
const OUTPUT = { type: 'object', properties: { value: {} }, required: ['value'] };
const TOOLS = [
  { name: 'echo', description: 'Gives back its value.', annotations: { readOnlyHint: true }, outputSchema: OUTPUT },
  {
    name: 'slow',
    description: 'Gives back its value after so many milliseconds.',
    annotations: { readOnlyHint: true },
    outputSchema: OUTPUT,
  },
  { name: 'large', description: 'A text of so many bytes.', annotations: { readOnlyHint: true }, outputSchema: OUTPUT },
  { name: 'effect', description: 'Writes down that it was called.' },
  { name: 'late', description: 'Writes down that it was called, and answers after so many milliseconds.' },
  { name: 'danger', description: 'Asks a person first.', annotations: { destructiveHint: true } },
].map((tool) => ({ inputSchema: ANY, ...tool }));

/** The result of a request; undefined for a notification. `file` is where effects are written down. */
export async function answer({ id, method, params }: Request, file: string): Promise<object | undefined> {
  if (id === undefined) return undefined;
  if (method === 'initialize') {
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'chaos', version: '1.0.0' } };
  }
  if (method === 'tools/list') return { tools: TOOLS };
  return method === 'tools/call' ? call(params?.name ?? '', params?.arguments ?? {}, file) : {};
}

async function call(name: string, args: Record<string, unknown>, file: string): Promise<object> {
  if (name === 'slow') await sleep(Number(args['ms']));
  // Before it is answered: whoever hears of it can rely on it.
  if (name === 'effect' || name === 'danger' || name === 'late') appendFileSync(file, `${String(args['id'])}\n`);
  if (name === 'late') await sleep(Number(args['ms']));
  const value = name === 'large' ? 'x'.repeat(Number(args['bytes'])) : (args['value'] ?? null);
  return { content: [], structuredContent: { value } };
}
