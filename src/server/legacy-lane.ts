import { createHash, randomUUID } from 'node:crypto';
import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import type { CancelBook } from './cancel-book.ts';
import type { ReadPrincipal } from './request-principal.ts';

type Fetch = McpHttpHandler['fetch'];

/** Names the client's session, and with it the requests that it may cancel. */
export const SESSION_HEADER = 'mcp-session-id';

/** What the lane reads of a message; the rest is the SDK's business. */
interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
  readonly params?: { readonly requestId?: unknown };
}

/**
 * Puts the 2025-11-25 rules of cancelling around an endpoint that serves every request on its own. In that revision a lost
 * connection does not cancel, and `notifications/cancelled` comes as a request of its own: the session id that `initialize`
 * hands out is the unguessable name under which it finds the request it is about. No other state hangs on it, so clients
 * survive a restart of the server. To cancel all of `book` ends every exchange that is still open.
 */
export function createLegacyLane(serve: Fetch, book: CancelBook, readPrincipal: ReadPrincipal): Fetch {
  const exchange = async (request: Request, options: Parameters<Fetch>[1], key: string, principal: Principal): Promise<Response> => {
    const { signal, done } = book.begin(key, principal);
    if (signal.aborted) return cancelled(done);
    try {
      // The client's own signal is left out: only a cancel or the end of the server stops the work.
      const response = await serve(new Request(request.url, { method: request.method, headers: request.headers, signal }), options);
      if (!signal.aborted) return keepReading(response, done);
      // The SDK looks at the signal only from here on, so a cancel that came before goes by way of the body.
      await response.body?.cancel();
      return cancelled(done);
    } catch (error) {
      done();
      throw error;
    }
  };
  return async (request, options) => {
    if (!(await isLegacyRequest(request, options?.parsedBody))) return serve(request, options);
    const message = (options?.parsedBody ?? {}) as Message; // only unknown fields are read
    const session = request.headers.get(SESSION_HEADER);
    const principal = readPrincipal(options?.authInfo);
    if (message.method === 'notifications/cancelled' && session !== null) {
      book.cancel(requestKey(principal, session, message.params?.requestId));
    }
    if (message.id === undefined) return serve(request, options);
    const response = await exchange(request, options, requestKey(principal, session ?? randomUUID(), message.id), principal);
    return message.method === 'initialize' ? withSession(response) : response;
  };
}

/** A longer name of a request is kept as its hash: an id may be as long as a message, and a thousand of them are remembered. */
const MAX_KEY_LENGTH = 512;

/** The name of a request in the cancel book: only who began it can end it. Types are part of it, because 1 and "1" are two requests. */
export function requestKey({ id: principal }: Principal, session: string, id: unknown): string {
  const key = JSON.stringify([principal, session, id]);
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64');
}

function withSession(response: Response): Response {
  const headers = new Headers(response.headers);
  if (response.ok) headers.set(SESSION_HEADER, randomUUID());
  return new Response(response.body, { status: response.status, headers });
}

/** Nothing is said about a request after it was cancelled: its stream just ends. */
function cancelled(done: () => void): Response {
  done();
  return new Response('', { headers: { 'content-type': 'text/event-stream' } });
}

/** Reads the answer to its end even when the client is gone, because the SDK ends the work when nobody reads. */
function keepReading(response: Response, done: () => void): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const [toClient, kept] = response.body.tee();
  kept
    .pipeTo(new WritableStream())
    .catch(() => undefined)
    .finally(() => done());
  return new Response(toClient, { status: response.status, headers: response.headers });
}
