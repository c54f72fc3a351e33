import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

interface Raw {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A request with exactly these headers; `fetch` would not let us set Host and Origin. */
export async function send(url: string, method: string, headers: Record<string, string> = {}, body?: string): Promise<Raw> {
  const req = request(url, { method, headers: { accept: 'application/json, text/event-stream', ...headers } });
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const chunks = await res.toArray();
  return { status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks as Buffer[]).toString() };
}

export const JSON_TYPE = { 'content-type': 'application/json' };

export function rpc(method: string, params: unknown, id: number | undefined = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', ...(id !== undefined && { id }), method, params });
}

export const LIST = rpc('tools/list', {});

export function callBody(args: unknown, id = 1): string {
  return rpc('tools/call', { name: 'execute_code', arguments: args }, id);
}
