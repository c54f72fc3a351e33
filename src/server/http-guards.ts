import type { IncomingMessage } from 'node:http';
import { localhostAllowedHostnames, localhostAllowedOrigins, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';

/** Where the endpoint listens and whom it answers. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Host names besides localhost and `host`. */
  readonly allowedHosts: readonly string[];
  /** Origins such as `https://app.example.com`, besides pages on localhost. */
  readonly allowedOrigins: readonly string[];
}

/** Why a request is refused; undefined when it is not. */
export type Guard = (req: IncomingMessage) => string | undefined;

const WILDCARDS = new Set(['0.0.0.0', '::', '']);

/** Refuses requests whose Host is not ours: a web page that points its own name at this machine (DNS rebinding). */
export function guardHost({ host, allowedHosts }: HttpAddress): Guard {
  const own = WILDCARDS.has(host) ? [] : [host.includes(':') ? `[${host}]` : host];
  const allowed = [...localhostAllowedHostnames(), ...own, ...allowedHosts.map(withoutPort)].map((name) => name.toLowerCase());
  return ({ headers }) => {
    const result = validateHostHeader(headers.host, allowed);
    return result.ok ? undefined : `${result.message}. The operator allows further names with http.allowedHosts.`;
  };
}

/** Refuses requests that a web page of a foreign origin makes. Clients that are no browsers send no Origin. */
export function guardOrigin({ allowedOrigins }: HttpAddress): Guard {
  const exact = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  return ({ headers: { origin } }) => {
    if (origin === undefined || exact.has(origin.toLowerCase())) return undefined;
    const result = validateOriginHeader(origin, localhostAllowedOrigins());
    return result.ok ? undefined : `${result.message}. The operator allows further origins with http.allowedOrigins.`;
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
