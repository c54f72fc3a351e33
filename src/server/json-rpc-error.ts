import type { ServerResponse } from 'node:http';
import { sendJson } from './send-json.ts';

/** JSON-RPC error numbers that the transport itself answers with. */
export const RPC_CODES = { parse: -32_700, invalidRequest: -32_600, internal: -32_603, server: -32_000 } as const;

/** Answers a request that never reached MCP, in the form that MCP clients understand. */
export function sendRpcError(
  res: ServerResponse,
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(res, status, { jsonrpc: '2.0', error: { code, message }, id: null }, headers);
}
