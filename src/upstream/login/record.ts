import { z } from 'zod';

/** Tokens go into a header, so nothing but visible characters is one; and no longer than servers take headers. */
const token = z
  .string()
  .max(16_384)
  .regex(/^[\u0021-\u007e]+$/);
const url = z.string().max(4_096);

/** What is kept of a login at one upstream server. Only the sealed form of it is ever written. */
export const loginSchema = z.strictObject({
  /** The URL of the server that the tokens are for; they are sent nowhere else. */
  url,
  /** The authorization server that gave the tokens; refresh tokens and the client's secret are sent nowhere else. */
  issuer: url,
  resource: url.exactOptional(),
  tokenEndpoint: url,
  revocationEndpoint: url.exactOptional(),
  /** How the token endpoint takes the client's secret. */
  authMethods: z.array(z.string().max(100)).max(50).exactOptional(),
  clientId: z.string().min(1).max(4_096),
  /** Of a client that was registered at login; a configured secret stays in the config. */
  clientSecret: z.string().max(4_096).exactOptional(),
  clientAuthMethod: z.string().max(100).exactOptional(),
  accessToken: token,
  refreshToken: token.exactOptional(),
  scope: z.string().max(8_192).exactOptional(),
  /** When the access token was got, and when it is over, in milliseconds since 1970. */
  obtainedAt: z.number(),
  expiresAt: z.number().exactOptional(),
  /** The tokens are not taken any more: why. Only another login helps. */
  ended: z.string().max(300).exactOptional(),
});

/** A login, as it is kept. */
export type Login = z.output<typeof loginSchema>;

/** Everything in a login that nobody may see. */
export function secretsOf({ accessToken, refreshToken, clientSecret, ended }: Login): string[] {
  return ended !== undefined ? [] : [accessToken, refreshToken, clientSecret].filter((one) => one !== undefined);
}

/** A token is renewed this long before its end, or in the last tenth of its life. */
const EARLY_MS = 60_000;

/** Whether the access token is over or about to be. One that does not say when is not. */
export function isDue({ obtainedAt, expiresAt }: Login): boolean {
  if (expiresAt === undefined) return false;
  return Date.now() >= expiresAt - Math.min(EARLY_MS, (expiresAt - obtainedAt) / 10);
}

/** What is left of a login whose tokens are refused for good: enough to say so. */
export function endedLogin(login: Login, ended: string): Login {
  const { refreshToken: _refused, ...rest } = login;
  return { ...rest, accessToken: 'ended', ended };
}
