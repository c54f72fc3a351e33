import {
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  type LoggingLevel,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { envelopeOf } from './answer-form.ts';
import { SESSION_HEADER } from './legacy-lane.ts';

/** How many clients' levels are remembered. */
const MAX_LEVELS = 1_000;

/**
 * What clients of 2025-11-25 have asked for with `logging/setLevel`. Over HTTP every request has a server of its own, so the level is
 * kept under the names of its principal and its session, which is that of `initialize`'s answer; on stdio there is one client.
 */
export class LogLevels {
  readonly #levels = new Map<string, LoggingLevel>();

  set(session: string, level: LoggingLevel): void {
    this.#levels.delete(session);
    this.#levels.set(session, level);
    const [oldest] = this.#levels.keys();
    if (this.#levels.size > MAX_LEVELS && oldest !== undefined) this.#levels.delete(oldest);
  }

  get(session: string): LoggingLevel | undefined {
    return this.#levels.get(session);
  }
}

/** Takes `logging/setLevel` in the place of the SDK, which sends everything to clients that have never asked for it. */
export function takeLogLevel(server: McpServer, levels: LogLevels, principal: Principal): void {
  server.server.setRequestHandler('logging/setLevel', ({ params }, ctx) => {
    const session = sessionOf(ctx, principal);
    if (session !== undefined) levels.set(session, params.level);
    return {};
  });
}

/** The least level that the caller of a request wants to hear; undefined when it has not asked for any. */
export function askedLevel(ctx: ServerContext, levels: LogLevels, principal: Principal): LoggingLevel | undefined {
  const envelope = envelopeOf(ctx.mcpReq);
  // The SDK has checked that it is a level.
  if (envelope[PROTOCOL_VERSION_META_KEY] !== undefined) return envelope[LOG_LEVEL_META_KEY] as LoggingLevel | undefined;
  const session = sessionOf(ctx, principal);
  return session === undefined ? undefined : levels.get(session);
}

/** Undefined for a request over HTTP that names no session: nobody can tell whose next one is. */
function sessionOf({ http }: ServerContext, { id }: Principal): string | undefined {
  if (!http?.req) return '';
  const session = http.req.headers.get(SESSION_HEADER);
  return session === null ? undefined : levelKey(id, session);
}

/** Under what the level of a client over HTTP is kept. Ids of principals may hold spaces, or whatever stands between it and the session. */
export function levelKey(principal: string, session: string): string {
  return JSON.stringify([principal, session]);
}
