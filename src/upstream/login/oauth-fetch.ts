import type { FetchLike } from '@modelcontextprotocol/client';
import { SandboxError } from '../../errors.ts';
import { isLoopbackHost } from '../network-rules.ts';

/** Against: documents that fill memory. Real ones have some kilobytes. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;
/** Against: servers that never finish. From the request to the last byte, in milliseconds. */
export const DOCUMENT_TIMEOUT_MS = 10_000;

export interface OAuthFetchOptions {
  /** Connects to allowed addresses only. */
  readonly fetch: FetchLike;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * A fetch for the documents and endpoints of OAuth: https only, except for this machine; bounded in size and time; bodies are read
 * to their end before anybody sees them.
 */
export function createOAuthFetch(options: OAuthFetchOptions): FetchLike {
  const { fetch, timeoutMs = DOCUMENT_TIMEOUT_MS, maxBytes = MAX_DOCUMENT_BYTES, signal } = options;
  return async (target, init) => {
    const url = new URL(target);
    requireSecure(url);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(failed(`${url.origin} did not answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const signals = [timeout.signal, signal, init?.signal].filter((one) => one !== undefined && one !== null);
      const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
      const body = await readBounded(response, maxBytes, url);
      const { status, statusText, headers } = response;
      // What was encoded is decoded now.
      const plain = new Headers([...headers].filter(([name]) => !['content-encoding', 'content-length'].includes(name)));
      return new Response(body.length === 0 ? null : body, { status, statusText, headers: plain });
    } finally {
      clearTimeout(timer);
    }
  };
}

/** @throws SandboxError ERR_UPSTREAM_ADDRESS when the URL is not one that OAuth may go to */
export function requireSecure(url: URL): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))) return;
  const shown = ['http:', 'https:'].includes(url.protocol) ? url.origin : url.protocol.slice(0, 40);
  throw new SandboxError('ERR_UPSTREAM_ADDRESS', `OAuth goes over https only (http on this machine), and not to ${shown}.`, {
    hint: 'Give the server an https URL. What its authorization server names has to be https as well.',
  });
}

async function readBounded(response: Response, maxBytes: number, url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes) throw failed(`${url.origin} answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function failed(what: string): SandboxError {
  return new SandboxError('ERR_UPSTREAM_LOGIN_FAILED', `${what}.`);
}
