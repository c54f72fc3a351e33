import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { FetchLike } from '@modelcontextprotocol/client';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import { SandboxError } from '../errors.ts';
import { unbracketed } from './address.ts';
import type { NetworkRules } from './network-rules.ts';

export interface GuardedFetchOptions {
  readonly rules: NetworkRules;
  /** Longest time until a response begins, and between two pieces of its body, in milliseconds. */
  readonly quietMs: number;
  /** Finds the addresses of a name. Default: the system's way. */
  readonly lookup?: LookupFunction | undefined;
}

/** A fetch that connects to allowed addresses only. */
export interface GuardedFetch {
  /** Never follows a redirect by itself. @throws SandboxError ERR_UPSTREAM_ADDRESS when the rules refuse, or for another scheme than http and https */
  readonly fetch: FetchLike;
  /** Ends all its connections. */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Open connections to one server; further requests wait. Each run may make many calls at once, and all have to share the descriptors. */
const MAX_CONNECTIONS = 256;
const HINT = 'If that is right, list the host or address in "network.allow" of the server, or set "network.allowPrivate" to true.';

/**
 * Looks at each address when a connection to it is made, so that a name that leads elsewhere the next time it is asked for gains
 * nothing. Proxies of the environment are not used: they would connect on behalf of us, to addresses that nobody looked at.
 */
export function createGuardedFetch({ rules, quietMs, lookup = systemLookup }: GuardedFetchOptions): GuardedFetch {
  const connect = guardedConnector(rules, lookup);
  const agent = new Agent({ connect, headersTimeout: quietMs, bodyTimeout: quietMs, connections: MAX_CONNECTIONS });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici's own declarations and Node's of the same standard
  const send = undiciFetch as unknown as (url: string | URL, init: object) => Promise<Response>;
  return {
    fetch: async (url, init) => {
      const { protocol } = new URL(url);
      if (protocol !== 'https:' && protocol !== 'http:') throw refused(`a URL with ${protocol} instead of http or https`);
      try {
        return await send(url, { ...init, redirect: 'manual', dispatcher: agent });
      } catch (error) {
        throw (error instanceof Error && refusalWithin(error.cause)) || error;
      }
    },
    close: () => agent.destroy(),
  };
}

function guardedConnector(rules: NetworkRules, lookup: LookupFunction): buildConnector.connector {
  return (options, callback) => {
    const host = unbracketed(options.hostname);
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const check = (address: string): string | undefined => rules.refusal({ host, port, address });
    const refuse = (why: string): void => callback(refused(why), null);
    if (isIP(host) !== 0) {
      const why = check(host);
      if (why !== undefined) return refuse(why);
    }
    const connect = buildConnector({ allowH2: false, timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(lookup, check) });
    connect(options, (error, socket) => {
      if (error !== null) return callback(error, null);
      // Whoever found the address: this is the one that is connected.
      const why = check(socket.remoteAddress ?? '');
      if (why === undefined) return callback(null, socket);
      socket.destroy();
      refuse(why);
    });
  };
}

/** Leaves the allowed addresses of a name; an error when there is none. */
function guardedLookup(lookup: LookupFunction, check: (address: string) => string | undefined): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const all: LookupAddress[] = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      const allowed = all.filter(({ address }) => check(address) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        return callback(refused(all.map(({ address }) => check(address)).find(Boolean) ?? `${hostname} has no address`), '', 0);
      }
      if (options.all === true) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

function refused(what: string): SandboxError {
  return new SandboxError('ERR_UPSTREAM_ADDRESS', `The connection was refused: ${what}.`, { hint: HINT });
}

/** Node puts the errors of several addresses into one. */
function refusalWithin(error: unknown): SandboxError | undefined {
  if (error instanceof SandboxError) return error;
  if (error instanceof AggregateError) return error.errors.find((one): one is SandboxError => one instanceof SandboxError);
  return undefined;
}
