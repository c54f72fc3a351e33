import type { RequestHandler } from 'express';
import type { Principal } from '../access/principal.ts';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';
import { isListening } from './open-streams.ts';

/** Streams of notices that one principal may have open. The SDK has room for 1,024 in all: nobody may take it from the others. */
const MAX_STREAMS = 128;

/** Refuses with 429 a stream of notices beyond those that a principal may have. */
export function boundListening(principalOf: (req: Parameters<RequestHandler>[0]) => Principal): RequestHandler {
  const open = new Map<string, number>();
  return (req, res, next) => {
    if (!isListening(req.body)) return next();
    const { id } = principalOf(req);
    const count = open.get(id) ?? 0;
    if (count >= MAX_STREAMS) {
      return sendRpcError(res, 429, RPC_CODES.server, `${MAX_STREAMS} streams of notices are open already: close one first`);
    }
    open.set(id, count + 1);
    res.once('close', () => {
      const left = (open.get(id) ?? 1) - 1;
      if (left > 0) open.set(id, left);
      else open.delete(id);
    });
    return next();
  };
}
