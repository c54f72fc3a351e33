import { z } from 'zod';
import { isLoopbackHost } from '../loopback.ts';

const ISSUER = 'an https:// URL without user, query and fragment (http:// only on this machine), exactly as the issuer names itself';
const RESOURCE = 'the http:// or https:// URL of the endpoint, without user, query and fragment';
const TOLERANCE = 'a whole number of milliseconds from 0 to 300000';
const GLOBS = 'a list of at least one glob of tools, such as ["github.*"]';
/** What is signed with a secret that both sides have, or not at all, is not on it. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'] as const;
const ALGORITHM = `an asymmetric algorithm: ${ALGORITHMS.join(', ')}`;
/** RFC 6749, section 3.3. */
const SCOPE = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;
const SCOPE_RULE = 'the name of a scope: printable ASCII without spaces, quotation marks and backslashes';

const address = z
  .string({ error: 'a glob such as "github.*"' })
  .max(200, { error: 'a glob of at most 200 characters' })
  .regex(/^(?:\*|[^.\s]\S*\.\S+)$/, { error: 'a glob such as "github.*" or "files.read_*": server, dot, tool; or "*" for all' });

const scope = z.string({ error: SCOPE_RULE }).max(200, { error: SCOPE_RULE }).regex(SCOPE, { error: SCOPE_RULE });

const audience = z.string({ error: 'the audience that tokens name' }).min(1, { error: 'the audience that tokens name, not empty' });

const oauth = z
  .strictObject({
    issuer: z
      .string({ error: ISSUER })
      .regex(/^https?:\/\//, { error: ISSUER })
      .refine(isIssuer, { error: ISSUER })
      .describe('URL of the OpenID Connect or OAuth issuer, to the letter. Its metadata and keys are found from it.'),
    audience: z
      .union([audience.transform((one) => [one]), z.array(audience).min(1)], { error: 'an audience, or a list of at least one' })
      .describe('What tokens for this server have as "aud"; a token with none of these is refused.'),
    scopes: z
      .record(z.string().max(200).regex(SCOPE, { error: SCOPE_RULE }), z.array(address, { error: GLOBS }).min(1, { error: GLOBS }), {
        error: 'an object such as { "tickets": ["tickets.*"] }',
      })
      .refine((scopes) => Object.keys(scopes).length > 0, {
        error: 'an object with at least one scope, such as { "tools": ["*"] }: without one no token allows anything',
      })
      .describe('What each scope allows: globs of "server.tool". A token with none of them is refused.'),
    requiredScopes: z
      .array(scope, { error: 'a list of scopes' })
      .default([])
      .describe('Scopes that every token needs besides; clients are told to ask for these first.'),
    resource: z
      .string({ error: RESOURCE })
      .regex(/^https?:\/\//, { error: RESOURCE })
      .refine(isPlainUrl, { error: RESOURCE })
      .exactOptional()
      .describe('Public URL of the MCP endpoint, where it is another than clients see in Host: behind a proxy with TLS.'),
    algorithms: z
      .array(z.enum(ALGORITHMS, { error: ALGORITHM }), { error: 'a list of algorithms' })
      .min(1, { error: `a list of at least one algorithm: ${ALGORITHMS.join(', ')}` })
      .default(['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'])
      .describe('Signatures that are accepted. Only asymmetric ones exist here.'),
    clockToleranceMs: z
      .int({ error: TOLERANCE })
      .min(0, { error: TOLERANCE })
      .max(300_000, { error: TOLERANCE })
      .default(30_000)
      .describe("How far the issuer's clock may be off, in milliseconds."),
  })
  .describe('Access tokens of an OAuth 2.1 issuer.');

/** The `auth` of the config file. */
export const authSchema = z
  .strictObject({
    keys: z
      .boolean({ error: 'true or false' })
      .default(false)
      .describe('Let clients in with the API keys that `ampoule keys create` makes.'),
    oauth: oauth.exactOptional(),
  })
  .describe('Who may use the HTTP endpoint. Without it only this machine may, and everybody on it.');

/** The operator's choice, with all defaults filled in. */
export type AuthConfig = z.output<typeof authSchema>;

function isIssuer(text: string): boolean {
  if (!isPlainUrl(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopbackHost(hostname);
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '' && !/[?#\s]/.test(text);
}
