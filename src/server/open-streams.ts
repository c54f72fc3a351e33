import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../access/authenticator.ts';
import type { Principal } from '../access/principal.ts';
import type { CancelBook } from './cancel-book.ts';

/** An open stream ends at most so long after the key or token that it was opened with, in milliseconds. */
const LOOK_MS = 1_000;

/** Answers that are still open, with whom they are for. */
export interface OpenStreams {
  watch(req: IncomingMessage, res: ServerResponse, identity: Identity): void;
  end(): void;
}

interface Open {
  readonly req: IncomingMessage & { readonly body?: unknown };
  readonly identity: Identity;
}

/**
 * Ends what a client has open when its key is revoked, and the runs that were begun with it; a stream of notices, which has no end of
 * its own, also when its key or token expires. A run that was begun in time may go on to its answer then.
 * @param others the runs that go on without their connection
 */
export function createOpenStreams(others: readonly Pick<CancelBook, 'size' | 'cancelOf'>[], lookMs = LOOK_MS): OpenStreams {
  const open = new Map<ServerResponse, Open>();
  // Of a key there is one principal as long as there is the key, of a token as long as the token is good.
  const identities = new WeakMap<Principal, Identity>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    for (const [res, { req, identity }] of open) {
      const standing = identity.standing();
      if (standing === 'revoked' || (standing === 'expired' && isListening(req.body))) res.destroy();
    }
    for (const runs of others) runs.cancelOf((principal) => identities.get(principal)?.standing() === 'revoked');
    if (open.size > 0 || others.some(({ size }) => size > 0)) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    watch: (req, res, identity) => {
      open.set(res, { req, identity });
      identities.set(identity.principal, identity);
      res.once('close', () => open.delete(res));
      timer ??= setInterval(look, lookMs).unref();
    },
    end: () => clearInterval(timer),
  };
}

/** Whether a message asks for a stream of notices, which has no end of its own. */
export function isListening(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen';
}
