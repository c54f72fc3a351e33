import { createHash } from 'node:crypto';
import { SandboxError } from '../errors.ts';

/** What a cursor belongs to: the query and the things that were searched. */
export interface CursorScope {
  readonly query: string;
  readonly server: string | undefined;
  /** Identifies the wrappers and skills. */
  readonly content: string;
}

const HINT = 'Search again without "cursor".';

/** Where the next page begins, in a form that means nothing to anybody else. Short, because a model has to read and write it. */
export function writeCursor(offset: number, scope: CursorScope): string {
  return `${offset}.${queryKey(scope)}.${short(scope.content)}`;
}

/** @throws SandboxError ERR_SERVER_INPUT for one that is not ours, of another query, or older than a change of the tools */
export function readCursor(cursor: string, scope: CursorScope): number {
  const [offset = '', query, content] = cursor.slice(0, 100).split('.');
  if (!/^\d{1,9}$/.test(offset) || content === undefined) throw refused('is not one that search_tools gave out');
  if (query !== queryKey(scope)) throw refused('belongs to another search');
  if (content !== short(scope.content)) throw refused('is stale: the tools have changed since');
  return Number(offset);
}

function refused(why: string): SandboxError {
  return new SandboxError('ERR_SERVER_INPUT', `Argument "cursor" ${why}.`, { hint: HINT });
}

function queryKey({ query, server }: CursorScope): string {
  return short(JSON.stringify([query, server ?? null]));
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 6);
}
