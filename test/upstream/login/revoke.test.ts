import { expect, test } from 'vitest';
import { revoke } from '../../../src/upstream/login/revoke.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import { remote } from '../harness.ts';

const LOGIN: Login = {
  url: 'https://mcp.example.com/mcp',
  issuer: 'https://old.example.com',
  tokenEndpoint: 'https://old.example.com/token',
  revocationEndpoint: 'https://old.example.com/revoke',
  authMethods: ['client_secret_basic'],
  clientId: 'of-the-login',
  clientSecret: 'secret-of-the-login',
  accessToken: 'access',
  refreshToken: 'refresh',
  obtainedAt: 0,
};
const OAUTH = { grant: 'authorization_code', clientId: 'of-the-login', clientSecret: 'secret-of-the-config' } as const;

test.each([
  ['the issuer that it is for', LOGIN.url, { ...OAUTH, issuer: LOGIN.issuer }, 'secret-of-the-config'],
  ['no issuer of a login at another one', LOGIN.url, { ...OAUTH, issuer: 'https://new.example.com' }, 'secret-of-the-login'],
  ['no issuer of a login at another server', 'https://new.example.com/mcp', { ...OAUTH, issuer: LOGIN.issuer }, 'secret-of-the-login'],
  ['no issuer of another client', LOGIN.url, { ...OAUTH, clientId: 'new', issuer: LOGIN.issuer }, 'secret-of-the-login'],
])('a logout tells the configured secret to %s', async (_what, url, oauth, expected) => {
  const sent: string[] = [];
  const fetch = async (target: string | URL, init: RequestInit = {}): Promise<Response> => {
    const basic = new Headers(init.headers).get('authorization')?.replace('Basic ', '') ?? '';
    sent.push(
      `${String(target)} ${Buffer.from(basic, 'base64').toString()} ${init.body instanceof URLSearchParams ? init.body.toString() : 'no form'}`,
    );
    return new Response();
  };
  expect(await revoke(LOGIN, { ...remote('http', url), oauth }, fetch)).toBe(true);
  expect(sent).toEqual([`${LOGIN.revocationEndpoint} of-the-login:${expected} token=refresh&token_type_hint=refresh_token`]);
});
