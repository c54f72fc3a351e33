import { z } from 'zod';
import type { SearchRequest } from '../discovery/entry.ts';
import { SandboxError } from '../errors.ts';
import { argumentError } from './argument-error.ts';

const MAX_QUERY_BYTES = 1_024;
const MAX_LIMIT = 100;
const DETAIL = '"names", "summary" or "full"';
const LIMIT = `a whole number from 1 to ${MAX_LIMIT}`;
const HINT = 'Correct the arguments of search_tools.';

/** The arguments of `search_tools`. Every client carries these words: there are few of them. */
export const searchInputSchema = z.strictObject(
  {
    query: z.string({ error: 'words' }).exactOptional().describe('What the function should do'),
    server: z.string({ error: 'the name of a server' }).exactOptional().describe('Only this one; without query, all of it'),
    detail: z.enum(['names', 'summary', 'full'], { error: DETAIL }).default('summary').describe('full: types, docs'),
    limit: z.int({ error: LIMIT }).min(1, { error: LIMIT }).max(MAX_LIMIT, { error: LIMIT }).default(10),
    cursor: z.string({ error: 'the cursor of an earlier answer' }).exactOptional(),
  },
  { error: 'an object' },
);

const KEYS = Object.keys(searchInputSchema.shape);

/**
 * The arguments of a call, checked.
 * @throws SandboxError ERR_SERVER_INPUT that names the argument, the value and the fix
 */
export function parseSearchRequest(args: unknown): SearchRequest {
  const parsed = searchInputSchema.safeParse(args ?? {});
  if (!parsed.success) throw argumentError(parsed.error.issues, args, () => KEYS, HINT);
  const { query = '', ...request } = parsed.data;
  const bytes = Buffer.byteLength(query);
  if (bytes <= MAX_QUERY_BYTES) return { ...request, query };
  throw new SandboxError('ERR_SERVER_INPUT', `Argument "query" is ${bytes} bytes; the limit is ${MAX_QUERY_BYTES} bytes.`, {
    hint: 'A few words are enough: what the function should do.',
  });
}
