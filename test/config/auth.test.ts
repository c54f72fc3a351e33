import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { parse } from './parse.ts';

const OAUTH = { issuer: 'https://login.example.com', audience: 'https://ampoule.example/mcp', scopes: { tools: ['*'] } };
const SERVERS = { github: { command: 'x' }, files: { command: 'x' } };

function refusal(auth: unknown): string {
  try {
    parse({ mcpServers: SERVERS, auth });
  } catch (error) {
    if (error instanceof SandboxError) return error.message;
  }
  return 'accepted';
}

describe('auth', () => {
  test('is filled in with what is safe', () => {
    expect(parse({ auth: { oauth: OAUTH } }).auth).toEqual({
      keys: false,
      oauth: {
        ...OAUTH,
        audience: [OAUTH.audience],
        requiredScopes: [],
        algorithms: ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'],
        clockToleranceMs: 30_000,
      },
    });
  });

  test.each(['https://a.example', 'https://a.example/realms/b/', 'http://127.0.0.1:3000', 'http://localhost:9/x', 'http://[::1]:4'])(
    'takes the issuer %s as it is written',
    (issuer) => {
      expect(parse({ auth: { oauth: { ...OAUTH, issuer } } }).auth.oauth?.issuer).toBe(issuer);
    },
  );

  test.each([
    'http://login.example.com',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'login.example.com',
    'ftp://a.example',
    'https://user:word@a.example',
    'https://a.example?x=1',
    'https://a.example#x',
    'https://a b.example',
    '',
    'https://',
    7,
  ])('refuses the issuer %j and says what it has to be', (issuer) => {
    expect(refusal({ oauth: { ...OAUTH, issuer } })).toContain('auth.oauth.issuer: expected an https:// URL');
  });

  test.each<[string, unknown, string]>([
    ['no scopes at all', { ...OAUTH, scopes: {} }, 'auth.oauth.scopes: expected an object with at least one scope'],
    ['a scope that allows nothing', { ...OAUTH, scopes: { a: [] } }, 'auth.oauth.scopes.a: expected a list of at least one glob'],
    ['a scope with a space', { ...OAUTH, scopes: { 'a b': ['*'] } }, 'expected the name of a scope'],
    ['a scope with a quotation mark', { ...OAUTH, scopes: { 'a"b': ['*'] } }, 'expected the name of a scope'],
    ['a tool without its server', { ...OAUTH, scopes: { a: ['create'] } }, 'auth.oauth.scopes.a[0]: expected a glob such as "github.*"'],
    [
      'a server that is misspelt',
      { ...OAUTH, scopes: { a: ['githib.*'] } },
      'there is no server "githib" in mcpServers, did you mean "github"?',
    ],
    ['no audience', { ...OAUTH, audience: [] }, 'auth.oauth.audience: expected'],
    ['an algorithm with a shared secret', { ...OAUTH, algorithms: ['HS256'] }, 'auth.oauth.algorithms[0]: expected'],
    ['no algorithm by name', { ...OAUTH, algorithms: ['none'] }, 'auth.oauth.algorithms[0]: expected'],
    ['no algorithms', { ...OAUTH, algorithms: [] }, 'auth.oauth.algorithms: expected a list of at least one'],
    ['too large a tolerance', { ...OAUTH, clockToleranceMs: 300_001 }, 'auth.oauth.clockToleranceMs: expected'],
    ['a resource that is no URL', { ...OAUTH, resource: '/mcp' }, 'auth.oauth.resource: expected the http:// or https:// URL'],
    ['a key that there is not', { ...OAUTH, audiences: ['x'] }, 'unknown key, did you mean "audience"?'],
  ])('refuses %s', (_what, oauth, words) => {
    expect(refusal({ oauth })).toContain(words);
  });

  test('takes globs of known servers, of all servers, and of all', () => {
    expect(refusal({ oauth: { ...OAUTH, scopes: { a: ['github.*', 'files.read_*'], b: ['*.list_*'], c: ['*'] } } })).toBe('accepted');
  });

  test('shows what was found of an issuer, which is public, and nothing that may be a secret', () => {
    expect(refusal({ oauth: { ...OAUTH, issuer: 'http://login.example.com' } })).toContain('got "http://login.example.com"');
    expect(refusal({ oauth: { ...OAUTH, clientSecret: 'hunter2-hunter2' } })).not.toContain('hunter2');
    expect(refusal('Bearer hunter2-hunter2')).not.toContain('hunter2');
  });

  test('refuses keys that are no yes or no', () => {
    expect(refusal({ keys: 'yes' })).toContain('auth.keys: expected true or false');
  });
});
