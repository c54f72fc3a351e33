import { PROTOCOL_VERSION_META_KEY, type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import type { AnswerForm } from './sandbox-port.ts';

/** Where answers have their content: the operator's word, or by what each client speaks. */
export type AnswerMode = 'auto' | AnswerForm;

/** The first revision that has structured content. */
const FIRST_STRUCTURED = '2025-06-18';

/** @param version of the protocol that the client speaks; undefined when it names none, as before 2025-06-18 */
export function answerForm(mode: AnswerMode, version: string | undefined): AnswerForm {
  if (mode !== 'auto') return mode;
  // Revisions are dates, so their order is that of their names.
  return version !== undefined && version >= FIRST_STRUCTURED ? 'structured' : 'text';
}

/** What a client of 2026-07-28 says of itself with a request; empty for the clients of older revisions. */
export function envelopeOf({ envelope }: ServerContext['mcpReq']): Readonly<Record<string, unknown>> {
  return { ...envelope };
}

/** The revision that a request comes in: of its envelope, its HTTP header, or the connection's handshake. */
export function versionOf({ mcpReq, http }: ServerContext, server: McpServer): string | undefined {
  const said = envelopeOf(mcpReq)[PROTOCOL_VERSION_META_KEY];
  if (typeof said === 'string') return said;
  return http?.req ? (http.req.headers.get('mcp-protocol-version') ?? undefined) : server.server.getNegotiatedProtocolVersion();
}
