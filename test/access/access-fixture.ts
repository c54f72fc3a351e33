import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthenticator, type Authenticator } from '../../src/access/authenticator.ts';
import { createFailureBound } from '../../src/access/failure-bound.ts';
import { fetchJson } from '../../src/access/fetch-json.ts';
import { IssuerKeys } from '../../src/access/issuer-keys.ts';
import { openKeyKeeper } from '../../src/access/key-keeper.ts';
import { openKeyRegister, type KeyRegister } from '../../src/access/key-register.ts';
import { TokenJudge, type OAuthConfig } from '../../src/access/token-judge.ts';

export interface AccessFixture extends Disposable {
  readonly auth: Authenticator;
  readonly register: KeyRegister;
  /** Everything that was written to the log. */
  readonly logged: string[];
}

export interface AccessFixtureOptions {
  readonly oauth?: OAuthConfig;
  readonly maxFailures?: number;
  readonly now?: () => number;
  /** Default: true. */
  readonly keys?: boolean;
}

/** Real keys in a real file, and tokens of an issuer when there is one. */
export function openAccessFixture({ oauth, maxFailures = 1_000_000, now, keys = true }: AccessFixtureOptions = {}): AccessFixture {
  const folder = mkdtempSync(join(tmpdir(), 'ampoule-access-'));
  const file = join(folder, 'keys.db');
  const register = openKeyRegister(file);
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const issuerKeys = oauth && new IssuerKeys({ issuer: oauth.issuer, fetchJson, log: (message) => void logged.push(message) });
  const auth = createAuthenticator({
    keys: keys ? openKeyKeeper(file) : undefined,
    tokens: oauth && issuerKeys && { oauth, judge: new TokenJudge(oauth, issuerKeys) },
    failures: createFailureBound(maxFailures, now),
    log: { info: log, error: log },
  });
  const end = (): void => {
    auth.close();
    register.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { auth, register, logged, [Symbol.dispose]: end };
}
