import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const PORT = 'a whole number from 1024 to 65535';
const SCOPE = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;
const VISIBLE = /^[\u0021-\u007e]+$/;
const ISSUER = 'an https:// URL without query and fragment (http:// for this machine alone)';

/** A literal text of visible characters, as OAuth has them. */
const visible = (what: string) => z.string({ error: what }).max(4_096, { error: what }).regex(VISIBLE, { error: what });

function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.search !== '' || url.hash !== '' || url.username !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname));
}

/** How Ampoule logs in at an upstream server; see `ampoule login`. */
export const oauthSchema = z
  .strictObject({
    grant: z
      .enum(['authorization_code', 'client_credentials'], { error: '"authorization_code" or "client_credentials"' })
      .default('authorization_code')
      .describe(
        'How tokens are got: "authorization_code" when a person runs `ampoule login`, "client_credentials" without a person, with clientId and clientSecret.',
      ),
    clientId: visible('a client id')
      .exactOptional()
      .describe('The client that was registered by hand, or the https URL of a client metadata document. Default: registered at login.'),
    clientSecret: visible('a client secret').exactOptional().describe('The secret of that client. Needs clientId and issuer.'),
    scopes: z
      .array(z.string({ error: 'a scope' }).regex(SCOPE, { error: 'a scope: visible characters without space, quotes and backslash' }), {
        error: 'a list of scopes',
      })
      .max(100, { error: 'at most 100 scopes' })
      .exactOptional()
      .describe('Scopes to ask for. Default: what the server asks for.'),
    issuer: z
      .string({ error: ISSUER })
      .refine(isIssuer, { error: ISSUER })
      .exactOptional()
      .describe('The authorization server to log in at. Default: the one that the server names.'),
    redirectPort: z
      .int({ error: PORT })
      .min(1_024, { error: PORT })
      .max(65_535, { error: PORT })
      .exactOptional()
      .describe('Port of 127.0.0.1 that the browser comes back to, for clients registered with one. Default: any free port.'),
  })
  .superRefine((oauth, context) => {
    const { grant, clientId, clientSecret, issuer } = oauth;
    const missing = (key: string, why: string): void => context.addIssue({ code: 'custom', path: [key], message: why });
    if (clientSecret !== undefined && clientId === undefined) missing('clientId', 'the client that clientSecret belongs to');
    if (clientSecret !== undefined && issuer === undefined) {
      missing('issuer', 'the authorization server that clientSecret is for: without it the MCP server would choose who gets the secret');
    }
    if (grant === 'client_credentials' && clientSecret === undefined) {
      missing('clientSecret', 'a secret, as nobody logs in with client_credentials');
    }
  })
  .describe('OAuth 2.1 towards this server. Needed only where the defaults of `ampoule login` do not do.');

const ALLOW = 'a host, a host with a port, an IP address or a range such as 10.0.0.0/8';

function isAllowed(text: string): boolean {
  if (ipaddr.isValid(text) || ipaddr.isValidCIDR(text)) return true;
  const url = /^[\w.:[\]-]+$/.test(text) ? URL.parse(`http://${text}`) : null;
  return url !== null && url.pathname === '/' && !text.includes('@');
}

/** Which addresses requests for a server may reach. */
export const networkSchema = z
  .strictObject({
    allowPrivate: z
      .boolean({ error: 'true or false' })
      .exactOptional()
      .describe(
        'Whether the host of "url" may be at a private or loopback address. Default: when "url" has such an address, localhost or a local name.',
      ),
    allow: z
      .array(z.string({ error: ALLOW }).refine(isAllowed, { error: ALLOW }), { error: `a list, each ${ALLOW}` })
      .default([])
      .describe('Private hosts and addresses that the server may name for logging in, such as an authorization server inside.'),
  })
  .describe('Which addresses requests for this server may reach. Private ones are refused unless allowed.');

/** Where logins at upstream servers are kept. */
export const loginsSchema = z
  .strictObject({
    secret: z
      .string({ error: 'a string of at least 32 characters' })
      .min(32, { error: 'a string of at least 32 characters' })
      .exactOptional()
      .describe('What stored logins are encrypted with, as "${env:NAME}". Default: a random key in a file beside them.'),
  })
  .describe('How the tokens of `ampoule login` are kept in cacheDir.');
