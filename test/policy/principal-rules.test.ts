import { describe, expect, test } from 'vitest';
import { principalsSchema } from '../../src/config/principals-schema.ts';
import { createPolicing } from '../../src/policy/policing.ts';
import { catalogOf, policies, tool } from './policies.ts';

const DESTRUCTIVE = tool('delete', { annotations: { destructiveHint: true } });
const READ = tool('read');
const catalog = catalogOf({ mail: [READ, DESTRUCTIVE], web: [tool('post')] });

/** Judges calls of principals: "allow" and so on, with the rule behind it. */
function desk(general: object, principals: object) {
  const policing = createPolicing({ policies: policies(general), principals: principalsSchema.parse(principals), ttlMs: 1_000 });
  const judged = (principal: string, server: string, which = READ): string => policing.decision(principal, server, which);
  const run = (principal: string) => policing.begin({ principal, catalog });
  return { policing, judged, run };
}

describe('policies of principals', () => {
  test('tighten the general ones: the stricter of both counts', () => {
    const { judged } = desk(
      { servers: { mail: { policy: 'ask' } } },
      {
        'key:ci-*': {
          policies: { servers: { mail: { tools: { delete: { policy: 'deny' }, read: { policy: 'allow' } } }, web: { policy: 'deny' } } },
        },
      },
    );
    expect(judged('key:ci-1', 'mail', DESTRUCTIVE)).toBe('deny');
    expect(judged('key:ci-1', 'mail', READ)).toBe('ask');
    expect(judged('key:ci-1', 'web', tool('post'))).toBe('deny');
    expect(judged('key:other', 'mail', DESTRUCTIVE)).toBe('ask');
    expect(judged('key:other', 'web', tool('post'))).toBe('allow');
  });

  test('replace the general ones where they say so', () => {
    const { judged } = desk(
      { default: 'deny', servers: { mail: { policy: 'deny' } } },
      { local: { policies: { mode: 'replace', servers: { mail: { tools: { read: { policy: 'allow' } } } } } } },
    );
    expect(judged('local', 'mail', READ)).toBe('allow');
    // As without any policies: a tool that says it is destructive is asked about.
    expect(judged('local', 'mail', DESTRUCTIVE)).toBe('ask');
    expect(judged('key:a', 'mail', READ)).toBe('deny');
  });

  test('the most specific entry that has some counts alone', () => {
    const { judged } = desk(
      {},
      {
        '*': { policies: { default: 'deny' } },
        'key:*': { policies: { default: 'ask' }, runsPerMinute: 1 },
        'key:admin': { policies: { default: 'allow' } },
        'key:busy': { runsPerMinute: 5 },
      },
    );
    expect(judged('local', 'web')).toBe('deny');
    expect(judged('key:busy', 'web')).toBe('ask');
    expect(judged('key:admin', 'web')).toBe('allow');
    expect(judged('key:admin', 'mail', DESTRUCTIVE)).toBe('ask');
  });

  test('of globs that are as long all count', () => {
    const { judged } = desk(
      {},
      {
        'key:ci-*': { policies: { mode: 'replace', servers: { mail: { policy: 'deny' } } } },
        'key:*-ro': { policies: { servers: { web: { policy: 'deny' } } } },
      },
    );
    expect(judged('key:ci-ro', 'mail')).toBe('deny');
    expect(judged('key:ci-ro', 'web')).toBe('deny');
    expect(judged('key:ci-rw', 'web')).toBe('allow');
  });

  test('a denied call names the rule of the principal', () => {
    const { run } = desk({}, { 'key:a': { policies: { servers: { mail: { policy: 'deny' } } } } });
    const refused = run('key:a').admit('mail', READ, {});
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'ERR_CALL_DENIED', message: expect.stringContaining('(principals["key:a"].policies.servers.mail.policy)') },
    });
    expect(run('local').admit('mail', READ, {})).toMatchObject({ ok: true });
  });

  test('budgets of both count, each by itself, and one run does not spend those of another', () => {
    const { run } = desk(
      { servers: { mail: { maxCalls: 3 } } },
      { 'key:a': { policies: { servers: { mail: { maxCalls: 2 } } } }, 'key:b': { policies: { mode: 'replace', servers: {} } } },
    );
    const calls = (principal: string): number => {
      const policed = run(principal);
      let made = 0;
      while (made < 5 && policed.admit('mail', READ, {}).ok) made++;
      return made;
    };
    expect(calls('local')).toBe(3);
    expect(calls('key:a')).toBe(2);
    expect(calls('key:a')).toBe(2);
    expect(calls('key:b')).toBe(5);
  });

  test('a client may be asked when any principal may have to be', () => {
    expect(desk({ default: 'allow' }, {}).policing.asks(catalog)).toBe(false);
    expect(desk({ default: 'allow' }, { 'key:a': { policies: { default: 'ask' } } }).policing.asks(catalog)).toBe(true);
  });

  test('thousands of principals find their rules, and the same ones share them', () => {
    const { judged } = desk({}, { 'oauth:*': { policies: { default: 'deny' } } });
    for (let n = 0; n < 5_000; n++) expect(judged(`oauth:https://id.example.com#${n}`, 'web')).toBe('deny');
    expect(judged('key:a', 'web')).toBe('allow');
  });
});
