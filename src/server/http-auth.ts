import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import type { Authenticator, Outcome } from '../access/authenticator.ts';
import { sendRefusal } from './challenge.ts';
import type { OpenStreams } from './open-streams.ts';
import { toAuthInfo } from './request-principal.ts';

export interface HttpAuthOptions {
  readonly auth: Authenticator;
  /** Path of the endpoint. */
  readonly path: string;
  readonly streams: OpenStreams;
}

/** Lets only requests through that come from somebody, and writes down who it is for what comes after. */
export function demandIdentity({ auth, path, streams }: HttpAuthOptions): RequestHandler {
  return (req, res, next) => {
    const settle = (outcome: Outcome): void => {
      // While the issuer was asked for its keys the client has gone: nothing is begun for it, and nothing would ever end for it.
      if (res.destroyed) return undefined;
      if (!outcome.ok) return sendRefusal(req, res, outcome.refusal, { oauth: auth.oauth, path });
      const { identity } = outcome;
      // Nothing behind this has a use for the key or token: it can be passed on to nobody, and stands in no log.
      req.headers.authorization = undefined;
      (req as IncomingMessage & { auth?: AuthInfo }).auth = toAuthInfo(identity.principal);
      streams.watch(req, res, identity);
      next();
    };
    const outcome = auth.authenticate({
      rawHeaders: req.rawHeaders,
      url: req.originalUrl,
      remoteAddress: req.socket.remoteAddress ?? '',
    });
    return outcome instanceof Promise ? outcome.then(settle) : settle(outcome);
  };
}
