import type { Response } from 'express';

/** JSON-RPC error numbers that the transport itself answers with. */
export const RPC_CODES = { parse: -32_700, invalidRequest: -32_600, internal: -32_603, server: -32_000 } as const;

/** Answers a request that never reached MCP, in the form that MCP clients understand. */
export function sendRpcError(res: Response, status: number, code: number, message: string): void {
  res.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}
