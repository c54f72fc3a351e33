import type { JSONRPCErrorResponse, RequestId } from '@modelcontextprotocol/client';

/** What our own side has to say about a request that the server will never answer. */
export type LocalVerdict = 'oversized' | 'closed' | 'invalid';

/** Error data that only this process can make: a server's JSON never has these identities. */
const DATA: Readonly<Record<LocalVerdict, object>> = {
  oversized: Object.freeze({}),
  closed: Object.freeze({}),
  invalid: Object.freeze({}),
};

/** An error response that we give to a request in the server's place. */
export function localReply(id: RequestId, verdict: LocalVerdict): JSONRPCErrorResponse {
  return { jsonrpc: '2.0', id, error: { code: -32000, message: verdict, data: DATA[verdict] } };
}

/** The answer that was too large to be read, as it came; of those replies that have one. */
const wholes = new WeakMap<object, Uint8Array>();

/** The message that an `oversized` reply stands for, where it was kept. */
export function wholeMessage(data: unknown): Uint8Array | undefined {
  return typeof data === 'object' && data !== null ? wholes.get(data) : undefined;
}

/** Our own verdict, when the error data of a response is one. */
export function localVerdict(data: unknown): LocalVerdict | undefined {
  if (wholeMessage(data)) return 'oversized';
  const verdicts = ['oversized', 'closed', 'invalid'] as const;
  return verdicts.find((verdict) => data === DATA[verdict]);
}

/** The reply in the place of an answer that JSON-RPC does not allow, which the SDK would ignore, leaving the request to its timeout. */
export function invalidReply(message: Readonly<Record<string, unknown>>): JSONRPCErrorResponse | undefined {
  const { id, method, result, error } = message;
  if (typeof id !== 'number' || method !== undefined) return undefined;
  const isValid = isObject(result) || (isObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string');
  return isValid ? undefined : localReply(id, 'invalid');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The reply to a request whose answer was too large to read, found by the id at the beginning or the end of the answer,
 * where servers write it. A server that lies about it can only fail its own calls.
 */
export function oversizedReply(head: string, tail: string, whole?: Uint8Array): JSONRPCErrorResponse | undefined {
  const id = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(head)?.[1] ?? idAtEnd(tail);
  if (id === undefined) return undefined;
  const reply = localReply(Number(id), 'oversized');
  if (!whole) return reply;
  const data = Object.freeze({});
  wholes.set(data, whole);
  return { ...reply, error: { ...reply.error, data } };
}

function idAtEnd(tail: string): string | undefined {
  return /[}\]]\s*,\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail)?.[1];
}
