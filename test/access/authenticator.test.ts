import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../src/access/authenticator.ts';
import { openAccessFixture, type AccessFixture } from './access-fixture.ts';
import { AUDIENCE, startIssuer, type TestIssuer } from './issuer-fixture.ts';

let issuer: TestIssuer;
let fixture: AccessFixture;
beforeAll(async () => {
  issuer = await startIssuer();
  const oauth = {
    issuer: issuer.url,
    audience: [AUDIENCE],
    scopes: { tools: ['*'] },
    requiredScopes: [],
    algorithms: ['ES256' as const],
    clockToleranceMs: 0,
  };
  fixture = openAccessFixture({ oauth, maxFailures: 2 });
});
afterAll(async () => {
  fixture[Symbol.dispose]();
  await issuer[Symbol.asyncDispose]();
});

/** Behind a proxy all clients have one address. */
async function said(credential: string): Promise<string> {
  const rawHeaders = ['Authorization', `Bearer ${credential}`];
  const outcome: Outcome = await fixture.auth.authenticate({ rawHeaders, url: '/mcp', remoteAddress: '192.0.2.1' });
  return outcome.ok ? outcome.identity.principal.id : `${outcome.refusal.status} ${outcome.refusal.message}`;
}

test('whoever sends wrong ones keeps nobody with the same address from hearing that his own is over', async () => {
  const exp = Math.floor(Date.now() / 1_000) - 60;
  const over = await issuer.sign({ exp, iat: exp - 60 });
  const forged = `${over.slice(0, -4)}AAAA`;
  const { key, id } = fixture.register.create({ name: 'ann' });
  for (let round = 0; round < 5; round++) await said('amp_wrong');
  expect(await said('amp_wrong')).toMatch(/^429/);
  expect(await said(forged)).toMatch(/^429/);
  // Without this answer its client would not fetch another.
  expect(await said(over)).toBe('401 The token has expired.');
  expect(await said(key)).toBe('key:ann');
  fixture.register.revoke(id);
  expect(await said(key)).toBe('401 The key was revoked.');
  expect(fixture.logged.filter((line) => line.includes('refused')).length).toBe(2);
});
