import { describe, expect, test } from 'vitest';
import { errorOf, parse, wholeText } from './parse.ts';

const withServer = (more: object): object => ({ mcpServers: { s: { url: 'https://mcp.example.com/mcp', ...more } } });

describe('oauth and network of a server', () => {
  test('are absent by default, and have their own defaults', () => {
    expect(parse(withServer({})).mcpServers['s']).not.toHaveProperty('oauth');
    expect(parse(withServer({ oauth: {}, network: {} })).mcpServers['s']).toMatchObject({
      oauth: { grant: 'authorization_code' },
      network: { allow: [] },
    });
  });

  test.each([
    [{ clientId: 'a', clientSecret: 'b', issuer: 'https://auth.example.com/realm', redirectPort: 8765, scopes: ['a', 'b:c'] }],
    [{ grant: 'client_credentials', clientId: 'a', clientSecret: 'b', issuer: 'http://127.0.0.1:9000' }],
    [{ clientId: 'https://operator.example.com/ampoule.json' }],
  ])('oauth may be %j', (oauth) => {
    expect(() => parse(withServer({ oauth }))).not.toThrow();
  });

  test.each([
    ['a secret without its client', { clientSecret: 'very-secret', issuer: 'https://a.example' }, 'clientId'],
    ['a secret without its issuer', { clientId: 'a', clientSecret: 'very-secret' }, 'issuer'],
    ['client credentials without any', { grant: 'client_credentials' }, 'clientSecret'],
    ['an issuer over plain http', { issuer: 'http://auth.example.com' }, 'issuer'],
    ['an issuer with a query', { issuer: 'https://auth.example.com/?a=b' }, 'issuer'],
    ['an issuer that is none', { issuer: 'javascript:alert(1)' }, 'issuer'],
    ['a scope with a space', { scopes: ['a b'] }, 'scopes'],
    ['a secret with a line break', { clientId: 'a', issuer: 'https://a.example', clientSecret: 'very-secret\nx' }, 'clientSecret'],
    ['a port of the system', { redirectPort: 80 }, 'redirectPort'],
    ['another grant', { grant: 'password' }, 'grant'],
    ['an unknown key', { clientID: 'a' }, 'clientId'],
  ])('%s is refused, without its values', (_what, oauth, key) => {
    const error = errorOf(withServer({ oauth }));
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(wholeText(error)).toContain(key);
    expect(wholeText(error)).not.toContain('very-secret');
  });

  test.each([
    ['10.0.0.0/8'],
    ['10.0.0.1'],
    ['fd00::/8'],
    ['[::1]:8080'],
    ['auth.corp.example.com'],
    ['auth.corp.example.com:8443'],
    ['localhost'],
  ])('network.allow may have %s', (entry) => {
    expect(() => parse(withServer({ network: { allow: [entry] } }))).not.toThrow();
  });

  test.each([['10.0.0.0/99'], ['https://auth.example.com'], ['a/b'], ['*.example.com'], ['a b'], ['user@host'], [''], ['host:99999']])(
    'network.allow may not have "%s"',
    (entry) => {
      expect(errorOf(withServer({ network: { allow: [entry] } })).code).toBe('ERR_CONFIG_INVALID');
    },
  );

  test('a server that is a child process has neither', () => {
    for (const key of ['oauth', 'network']) expect(wholeText(errorOf({ mcpServers: { s: { command: 'x', [key]: {} } } }))).toContain(key);
  });

  test('the secret of the logins has 32 characters at least, and is not shown', () => {
    expect(parse({ logins: { secret: 'x'.repeat(32) } }).logins.secret).toHaveLength(32);
    const error = errorOf({ logins: { secret: 'very-secret'.padEnd(31, '!') } });
    expect(wholeText(error)).toContain('32 characters');
    expect(wholeText(error)).not.toContain('very-secret');
  });
});
