import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { base64url, exportSPKI, importJWK, SignJWT } from 'jose';
import { court, said, type Court } from './court.ts';
import { AUDIENCE, startIssuer, type TestIssuer } from './issuer-fixture.ts';

const seconds = (offset: number): number => Math.floor(Date.now() / 1_000) + offset;

let issuer: TestIssuer;
let shared: Court;
beforeAll(async () => {
  issuer = await startIssuer();
  shared = court(issuer);
});
afterAll(() => issuer[Symbol.asyncDispose]());

describe('a token', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['as RFC 9068 has it', {}, { typ: 'at+jwt' }],
    ['with the whole media type', {}, { typ: 'application/at+jwt' }],
    ['of a plain type', {}, { typ: 'JWT' }],
    ['of no type', {}, { typ: undefined }],
    ['for one of our audiences', { aud: 'second' }, {}],
    ['for ours among others', { aud: ['https://issuer.example/userinfo', AUDIENCE] }, {}],
    ['with its scopes in a list', { scope: undefined, scp: ['tools', 'x'] }, {}],
    ['with its scopes in a text by another name', { scope: undefined, scp: 'tools' }, {}],
    ['with a clock that is a second off', { iat: seconds(1), nbf: seconds(1) }, {}],
  ])('%s gets in', async (_what, claims, header) => {
    expect(said(await shared.judge.judge(await issuer.sign(claims, header)))).toBe(`oauth:${issuer.url}#alice`);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['for another audience', { aud: 'https://other.example' }, {}, 'another audience'],
    ['for an audience that only begins like ours', { aud: `${AUDIENCE}/more` }, {}, 'another audience'],
    ['for ours with another spelling', { aud: `${AUDIENCE}/` }, {}, 'another audience'],
    ['for nobody', { aud: undefined }, {}, 'another audience'],
    ['for an empty list', { aud: [] }, {}, 'another audience'],
    ['of another issuer', { iss: 'https://evil.example' }, {}, 'another issuer'],
    ['of no issuer', { iss: undefined }, {}, 'another issuer'],
    ['that has expired', { exp: seconds(-10) }, {}, 'has expired'],
    ['that never expires', { exp: undefined }, {}, 'lacks a claim'],
    ['that is not valid yet', { nbf: seconds(60) }, {}, 'not valid yet'],
    ['from the future', { iat: seconds(60) }, {}, 'from the future'],
    ['from no time', { iat: 'today' }, {}, ''],
    ['without a subject', { sub: undefined }, {}, 'lacks a claim'],
    ['with an empty subject', { sub: '' }, {}, 'no subject'],
    ['with a subject of many lines', { sub: 'alice\nbob' }, {}, 'no subject'],
    ['with an endless subject', { sub: 'a'.repeat(513) }, {}, 'no subject'],
    ['with a nonce, which is an ID token', { nonce: 'n' }, { typ: 'JWT' }, 'ID token'],
    ['with the hash of an access token, which is an ID token', { at_hash: 'h' }, { typ: undefined }, 'ID token'],
    ['that says it is an ID token', { token_use: 'id' }, { typ: 'JWT' }, 'ID token'],
    ['that is a refresh token', { typ: 'Refresh' }, { typ: 'JWT' }, 'ID token'],
    ['that is a logout token', {}, { typ: 'logout+jwt' }, 'no access token'],
    ['that is bound to a key', { cnf: { jkt: 'x' } }, {}, 'bound to a key'],
    ['with a critical header that nobody knows', {}, { crit: ['exotic'], exotic: 1 }, 'cannot be verified'],
  ])('%s is refused', async (_what, claims, header, words) => {
    const judgement = await shared.judge.judge(await issuer.sign(claims, header));
    expect(judgement).toMatchObject({ ok: false, refusal: { status: 401, code: 'ERR_ACCESS_INVALID', error: 'invalid_token' } });
    expect(said(judgement)).toContain(words);
  });

  test('of somebody else with the same name of a key is refused', async () => {
    await using evil = await startIssuer();
    const token = await evil.sign({ iss: issuer.url });
    expect(said(await shared.judge.judge(token))).toContain('cannot be verified');
  });

  test('without a signature is refused, whatever it calls that', async () => {
    const [, payload = ''] = (await issuer.sign()).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = base64url.encode(JSON.stringify({ alg, typ: 'at+jwt', kid: 'k1' }));
      for (const token of [`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.AAAA`]) {
        expect(await shared.judge.judge(token)).toMatchObject({ ok: false, refusal: { status: 401 } });
      }
    }
  });

  test('signed with the public key as a secret is refused', async () => {
    const signing = issuer.keys[0]!;
    const pem = await exportSPKI((await importJWK(signing, 'ES256', { extractable: true })) as Parameters<typeof exportSPKI>[0]);
    const [, payload = ''] = (await issuer.sign()).split('.');
    for (const secret of [pem, JSON.stringify(signing), signing.x!]) {
      for (const alg of ['HS256', 'HS512']) {
        const header = base64url.encode(JSON.stringify({ alg, kid: 'k1' }));
        const signature = createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
          .update(`${header}.${payload}`)
          .digest('base64url');
        expect(said(await shared.judge.judge(`${header}.${payload}.${signature}`))).toContain('algorithm');
      }
    }
  });

  test('with a part changed is refused', async () => {
    const token = await issuer.sign();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const other = base64url.encode(JSON.stringify({ ...claims, sub: 'admin' }));
    for (const wrong of [
      `${header}.${other}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${payload}.`,
    ]) {
      expect(await shared.judge.judge(wrong)).toMatchObject({ ok: false, refusal: { status: 401 } });
    }
  });

  test.each(['opaque', 'a.b', 'a.b.c', 'a.b.c.d.e', '...', 'eyJhbGciOiJFUzI1NiJ9.e30.', 'ä.b.c', '-'.repeat(8_000)])(
    'in no form that we know, such as %.20s, is refused',
    async (token) => {
      expect(await shared.judge.judge(token)).toMatchObject({ ok: false, refusal: { status: 401, error: 'invalid_token' } });
    },
  );

  test('with keys of its own in its header is judged by the keys of the issuer', async () => {
    await using evil = await startIssuer();
    const signing = await evil.newKey();
    const token = await new SignJWT({ iss: issuer.url, aud: AUDIENCE, sub: 'a', scope: 'tools', exp: seconds(60) })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', jwk: signing.publicJwk, jku: `${evil.url}/jwks`, x5u: `${evil.url}/x` })
      .sign(signing.privateKey);
    evil.asked.length = 0;
    expect(said(await shared.judge.judge(token))).toContain('cannot be verified');
    expect(evil.asked).toEqual([]);
  });
});

describe('scopes', () => {
  test('allow what they mean, together', async () => {
    const judgement = await shared.judge.judge(await issuer.sign({ scope: 'openid tickets mail unknown' }));
    expect(judgement).toMatchObject({ ok: true, holder: { principal: { grant: ['tickets.*', 'mail.read_*'] } } });
  });

  test('that mean nothing here are answered with those that would', async () => {
    const judgement = await shared.judge.judge(await issuer.sign({ scope: 'openid constructor __proto__' }));
    expect(judgement).toMatchObject({
      ok: false,
      refusal: { status: 403, code: 'ERR_ACCESS_SCOPE', error: 'insufficient_scope', scopes: ['tools', 'tickets', 'mail'] },
    });
  });

  test('that every token needs are needed besides', async () => {
    const { judge } = court(issuer, { requiredScopes: ['agent'] });
    expect(await judge.judge(await issuer.sign({ scope: 'tools' }))).toMatchObject({
      refusal: { status: 403, scopes: ['agent', 'tools', 'tickets', 'mail'] },
    });
    expect(await judge.judge(await issuer.sign({ scope: 'tools agent' }))).toMatchObject({ ok: true });
  });
});

describe('a token that was good', () => {
  test('is known again without a signature, until it expires', async () => {
    let now = Date.now();
    const { judge } = court(issuer, {}, { now: () => now });
    const token = await issuer.sign();
    expect(judge.known(token)).toBeUndefined();
    await judge.judge(token);
    expect(judge.known(token)?.principal.id).toBe(`oauth:${issuer.url}#alice`);
    now += 301_000;
    // Within the tolerance of two seconds.
    expect(judge.known(token)).toBeDefined();
    now += 2_000;
    expect(judge.known(token)).toBeUndefined();
  });

  test('is not known any more when nobody knows whether its key is still good', async () => {
    await using own = await startIssuer();
    let now = Date.now();
    const { judge } = court(own, {}, { now: () => now, cooldownMs: 0 });
    const token = await own.sign({ exp: Math.floor(now / 1_000) + 2 * 86_400 });
    await judge.judge(token);
    own.answer = (_req, res) => void res.writeHead(500).end();
    now += 86_400_000;
    expect(judge.known(token)).toBeDefined();
    now += 1;
    expect(judge.known(token)).toBeUndefined();
    expect(await judge.judge(token)).toMatchObject({ refusal: { status: 503 } });
    own.answer = undefined;
    expect(said(await judge.judge(token))).toContain('oauth:');
  });

  test('is judged anew when the issuer has other keys', async () => {
    await using own = await startIssuer();
    let now = Date.now();
    const { judge, keys } = court(own, {}, { now: () => now });
    const token = await own.sign();
    await judge.judge(token);
    own.keys.length = 0;
    await own.newKey();
    now += 31_000;
    await keys.warm();
    expect(judge.known(token)).toBeUndefined();
    expect(said(await judge.judge(token))).not.toContain('oauth:');
  });
});
