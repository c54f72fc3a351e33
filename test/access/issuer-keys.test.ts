import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { metadataUrls } from '../../src/access/issuer-metadata.ts';
import { court, said } from './court.ts';
import { startIssuer, type TestIssuer } from './issuer-fixture.ts';

describe('the keys of the issuer', () => {
  test('are found where RFC 8414 and OpenID Connect have them', () => {
    expect(metadataUrls('https://a.example')).toEqual([
      'https://a.example/.well-known/oauth-authorization-server',
      'https://a.example/.well-known/openid-configuration',
    ]);
    expect(metadataUrls('https://a.example/realms/b/')).toEqual([
      'https://a.example/.well-known/oauth-authorization-server/realms/b',
      'https://a.example/.well-known/openid-configuration/realms/b',
      'https://a.example/realms/b/.well-known/openid-configuration',
    ]);
  });

  test('of an issuer with a path are found', async () => {
    await using own = await startIssuer('/realms/one');
    expect(said(await court(own).judge.judge(await own.sign()))).toBe(`oauth:${own.url}#alice`);
  });

  test('that are new are found when a token names one', async () => {
    await using own = await startIssuer();
    const { judge } = court(own, {}, { cooldownMs: 0 });
    await judge.judge(await own.sign());
    const fresh = await own.newKey('RS256');
    expect(said(await judge.judge(await own.sign({}, {}, fresh)))).toBe(`oauth:${own.url}#alice`);
  });

  test('are asked for once, however many tokens name keys that there are not', async () => {
    await using own = await startIssuer();
    let now = Date.now();
    const { judge } = court(own, {}, { now: () => now });
    await judge.judge(await own.sign());
    const before = own.asked.length;
    const flood = async (): Promise<void> => {
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => own.sign({}, { kid: `unknown-${n}` })));
      for (const judgement of await Promise.all(tokens.map((token) => judge.judge(token)))) {
        expect(said(judgement)).toContain('no key by the name');
      }
    };
    await flood();
    expect(own.asked.length).toBe(before);
    now += 31_000;
    await flood();
    await flood();
    // The metadata at its two places, and the keys.
    expect(own.asked.length - before).toBe(3);
    expect(said(await judge.judge(await own.sign()))).toContain('oauth:');
  });

  test('that are the last good ones stay while the issuer is down, and for a day', async () => {
    await using own = await startIssuer();
    let now = Date.now();
    const { judge, logged, keys } = court(own, {}, { now: () => now, cooldownMs: 0 });
    await judge.judge(await own.sign());
    own.answer = (_req, res) => void res.writeHead(500).end();
    now += 23 * 3_600_000;
    const later = await own.sign({ iat: undefined, exp: Math.floor(now / 1_000) + 7_200 });
    expect(said(await judge.judge(later))).toContain('oauth:');
    await keys.warm();
    expect(logged.join()).toContain('cannot be asked for its keys');
    now += 3_600_000 + 1;
    expect(await judge.judge(later)).toMatchObject({ ok: false, refusal: { status: 503, code: 'ERR_ACCESS_UNAVAILABLE' } });
    own.answer = undefined;
    expect(said(await judge.judge(later))).toContain('oauth:');
    expect(logged.at(-1)).toContain('answers again');
  });

  test('are found by a clock that was set back too', async () => {
    await using own = await startIssuer();
    let now = Date.now() + 365 * 86_400_000;
    const { judge, keys } = court(own, {}, { now: () => now });
    await keys.warm();
    now = Date.now();
    expect(said(await judge.judge(await own.sign({}, {}, await own.newKey())))).toContain('oauth:');
  });

  test('of an issuer that was never there are asked for at a bounded rate, and tokens are told to come again', async () => {
    await using own = await startIssuer();
    own.answer = (_req, res) => void res.writeHead(503).end();
    const { judge } = court(own);
    const token = await own.sign();
    for (let round = 0; round < 20; round++) {
      expect(await judge.judge(token)).toMatchObject({ refusal: { status: 503, retryAfterSeconds: 30 } });
    }
    expect(own.asked.length).toBe(2);
  });

  test.each<[string, (own: TestIssuer, evil: TestIssuer) => void]>([
    ['is of another issuer', (own) => (own.metadata['issuer'] = 'https://evil.example')],
    ['is of the same issuer but for a slash', (own) => (own.metadata['issuer'] = `${own.url}/`)],
    ['has its keys at http elsewhere', (own) => (own.metadata['jwks_uri'] = 'http://keys.example/jwks')],
    ['has its keys in a file', (own) => (own.metadata['jwks_uri'] = 'file:///etc/passwd')],
    ['has no keys', (own) => delete own.metadata['jwks_uri']],
    ['leads elsewhere', (own, evil) => (own.answer = (_req, res) => void res.writeHead(302, { location: `${evil.url}/jwks` }).end())],
    ['is no JSON', (own) => (own.answer = (_req, res) => void res.writeHead(200).end('<html>'))],
    ['is a list', (own) => (own.answer = (_req, res) => void res.writeHead(200).end('[]'))],
    ['has no end', (own) => (own.answer = (_req, res) => endless(res))],
    ['has too many keys', (own) => own.keys.push(...Array.from({ length: 100 }, () => own.keys[0]!))],
  ])('are not taken from a document that %s', async (_what, bend) => {
    await using own = await startIssuer();
    await using evil = await startIssuer();
    const token = await own.sign();
    bend(own, evil);
    evil.asked.length = 0;
    const { judge, logged } = court(own);
    expect(await judge.judge(token)).toMatchObject({ ok: false, refusal: { status: 503 } });
    expect(evil.asked).toEqual([]);
    expect(logged.length).toBe(1);
  });

  test('that are secrets or private verify nothing', async () => {
    await using own = await startIssuer();
    const token = await own.sign();
    own.keys[0] = { kty: 'oct', k: 'c2VjcmV0', kid: 'k1', alg: 'ES256' };
    expect(await court(own).judge.judge(token)).toMatchObject({ ok: false, refusal: { status: 401 } });
  });

  test('of which a token names none are tried only when there is one', async () => {
    await using own = await startIssuer();
    const { judge } = court(own, {}, { cooldownMs: 0 });
    expect(said(await judge.judge(await own.sign({}, { kid: undefined })))).toContain('oauth:');
    const second = await own.newKey();
    await judge.judge(await own.sign({}, {}, second));
    expect(said(await judge.judge(await own.sign({}, { kid: undefined })))).toContain('does not say which key');
  });
});

function endless(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/json' });
  const write = (): void => {
    while (!res.destroyed && res.write(' '.repeat(65_536)));
    if (!res.destroyed) res.once('drain', write);
  };
  res.on('error', () => undefined);
  write();
}
