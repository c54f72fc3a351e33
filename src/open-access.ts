import { join } from 'node:path';
import { createAuthenticator, type Authenticator, type AuthenticatorParts } from './access/authenticator.ts';
import { createFailureBound } from './access/failure-bound.ts';
import { fetchJson } from './access/fetch-json.ts';
import { IssuerKeys } from './access/issuer-keys.ts';
import { openKeyKeeper } from './access/key-keeper.ts';
import { TokenJudge } from './access/token-judge.ts';
import type { Config } from './config/schema.ts';
import type { Log } from './log.ts';
import { makeFolder, OWNER_ONLY } from './make-folder.ts';

export interface AccessOptions {
  readonly config: Pick<Config, 'auth' | 'limits'>;
  /** Where `keys.db` is. */
  readonly cacheDirectory: string;
  readonly log: Log;
  readonly onFailure?: AuthenticatorParts['onFailure'];
}

/** The file of API keys, of the servers and of the command line. */
export function keyFile(cacheDirectory: string): string {
  return join(cacheDirectory, 'keys.db');
}

/**
 * Authentication as the operator has configured it; undefined when there is none. An issuer that is down does not keep the server from
 * starting: its tokens are refused until it is there.
 * @throws SandboxError ERR_ACCESS_UNAVAILABLE when the file of keys cannot be used
 */
export async function openAccess({ config, cacheDirectory, log, onFailure }: AccessOptions): Promise<Authenticator | undefined> {
  const { keys: isWithKeys, oauth } = config.auth;
  if (!isWithKeys && oauth === undefined) return undefined;
  // Without the folder there is no file either, which is told below.
  if (isWithKeys) await makeFolder(cacheDirectory, OWNER_ONLY).catch(() => undefined);
  const keys = isWithKeys ? openKeyKeeper(keyFile(cacheDirectory)) : undefined;
  if (keys?.size === 0) log.warn('There is no API key yet: "ampoule keys create NAME" makes one');
  const failures = createFailureBound(config.limits.maxFailedLogins);
  return createAuthenticator({ keys, tokens: oauth && openTokens(oauth, log), failures, onFailure, log });
}

function openTokens(oauth: NonNullable<Config['auth']['oauth']>, log: Log): { judge: TokenJudge; oauth: typeof oauth } {
  const tell = (message: string, error?: unknown): void =>
    log.warn({ issuer: oauth.issuer, ...(error !== undefined && { err: error }) }, message);
  const issuerKeys = new IssuerKeys({ issuer: oauth.issuer, fetchJson, log: tell });
  void issuerKeys.warm();
  return { judge: new TokenJudge(oauth, issuerKeys), oauth };
}
