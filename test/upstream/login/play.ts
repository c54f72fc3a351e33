import type { HttpServerConfig } from '../../../src/config/schema.ts';
import { createGuardedFetch } from '../../../src/upstream/guarded-fetch.ts';
import { logIn, type LogInOptions } from '../../../src/upstream/login/log-in.ts';
import { openOAuth } from '../../../src/upstream/login/logins.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import { createNetworkRules } from '../../../src/upstream/network-rules.ts';
import { browse } from './site.ts';

/** Goes through the login as a person with a browser would. */
export const person: LogInOptions['show'] = async (url, redirectUrl) => browse(url, redirectUrl);

/** A whole login, with a person who does all that is asked. */
export async function tryLogin(config: HttpServerConfig, more: Partial<LogInOptions> = {}): Promise<Login> {
  const oauth = openOAuth(config);
  const direct = createGuardedFetch({ rules: createNetworkRules(config, 'server'), quietMs: 5_000 });
  const given = { server: 'remote', before: undefined, show: person, timeoutMs: 5_000 };
  try {
    const options = { ...given, config, oauthFetch: oauth.fetch, serverFetch: direct.fetch, ...more };
    return await logIn(options, new AbortController().signal);
  } finally {
    await Promise.all([oauth.close(), direct.close()]);
  }
}

/** Code and message of what a login fails with. */
export async function failure(login: Promise<Login>): Promise<string> {
  try {
    await login;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)} ${error.message}`;
    throw error;
  }
  throw new Error('the login did not fail');
}
