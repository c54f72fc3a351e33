import { fetchJson } from '../../src/access/fetch-json.ts';
import { IssuerKeys } from '../../src/access/issuer-keys.ts';
import { TokenJudge, type Judgement, type OAuthConfig } from '../../src/access/token-judge.ts';
import { AUDIENCE, type TestIssuer } from './issuer-fixture.ts';

/** What an operator would have written. */
function oauthOf(issuer: string, more: Partial<OAuthConfig> = {}): OAuthConfig {
  return {
    issuer,
    audience: [AUDIENCE, 'second'],
    scopes: { tools: ['*'], tickets: ['tickets.*'], mail: ['mail.read_*'] },
    requiredScopes: [],
    algorithms: ['ES256', 'RS256'],
    clockToleranceMs: 2_000,
    ...more,
  };
}

/** A judge of tokens, with all that he needs. */
export interface Court {
  readonly judge: TokenJudge;
  readonly keys: IssuerKeys;
  readonly logged: string[];
}

export function court(
  issuer: TestIssuer,
  more: Partial<OAuthConfig> = {},
  options: { cooldownMs?: number; now?: () => number } = {},
): Court {
  const logged: string[] = [];
  const log = (message: string, error?: unknown): void => void logged.push(`${message} ${error instanceof Error ? error.message : ''}`);
  const keys = new IssuerKeys({ issuer: issuer.url, fetchJson, log, ...options });
  return { keys, judge: new TokenJudge(oauthOf(issuer.url, more), keys, options.now), logged };
}

/** Who got in, or the message of the refusal. */
export function said(judgement: Judgement): string {
  return judgement.ok ? judgement.holder.principal.id : `${judgement.refusal.status} ${judgement.refusal.message}`;
}
