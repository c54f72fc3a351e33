import { describe, expect, test } from 'vitest';
import { errorOf, FILE, parse } from './parse.ts';

const SERVERS = { mcpServers: { tickets: { command: 'x' }, mail: { command: 'x' }, 'my.web': { command: 'x' } } };
const config = (policies: object): object => ({ ...SERVERS, policies });

describe('policies are wrong', () => {
  test.each<[string, object, string]>([
    [
      'a server that there is not',
      { servers: { ticket: { policy: 'deny' } } },
      'policies.servers.ticket: there is no server "ticket" in mcpServers, did you mean "tickets"?',
    ],
    [
      'a server that is like no other',
      { servers: { zzzzzzzzzz: {} } },
      'policies.servers.zzzzzzzzzz: there is no server "zzzzzzzzzz" in mcpServers, which has tickets, mail, my.web',
    ],
    [
      'personal data of no server',
      { personalData: { servers: ['mails'] } },
      'policies.personalData.servers[0]: there is no server "mails" in mcpServers, did you mean "mail"?',
    ],
    [
      'data from no server',
      { dataFlow: [{ from: ['mial.*'], to: ['my.web.*'] }] },
      'policies.dataFlow[0].from[0]: there is no server "mial" in mcpServers, did you mean "mail"?',
    ],
    [
      'data to no server',
      { dataFlow: [{ from: ['mail.*'], to: ['web.post'] }] },
      'policies.dataFlow[0].to[0]: there is no server "web" in mcpServers',
    ],
    [
      'an address without a tool',
      { dataFlow: [{ from: ['mail'], to: ['my.web.*'] }] },
      'policies.dataFlow[0].from[0]: expected a pattern such as "mail.*" or "web.post"',
    ],
    [
      'a pattern that does not compile',
      { personalData: { patterns: { staff: 'EMP-(\\d+' } } },
      'policies.personalData.patterns.staff: expected a regular expression that can be used, but it cannot be compiled',
    ],
    [
      'a pattern with look-around',
      { personalData: { patterns: { staff: '(?<=a)b' } } },
      'policies.personalData.patterns.staff: expected a regular expression that can be used',
    ],
    ['a pattern that matches nothing at all', { personalData: { patterns: { staff: 'a*' } } }, 'but it matches the empty text'],
    [
      'a policy that is none',
      { servers: { mail: { policy: 'alow' } } },
      'policies.servers.mail.policy: expected one of "allow", "ask", "deny", got "alow"; did you mean "allow"?',
    ],
    [
      'a budget below nought',
      { servers: { mail: { tools: { read: { maxCalls: -1 } } } } },
      'policies.servers.mail.tools.read.maxCalls: expected a whole number of calls from 0 to 100000, got -1',
    ],
    [
      'a length that is too short',
      { dataFlow: [{ from: ['mail.*'], to: ['my.web.*'], minLength: 3 }] },
      'policies.dataFlow[0].minLength: expected a whole number of characters from 4 to 1024, got 3',
    ],
    ['a kind that there is not', { personalData: { kinds: ['mail'] } }, 'policies.personalData.kinds[0]'],
  ])('%s', (_what, policies, message) => {
    const error = errorOf(config(policies));
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.message).toContain(message);
    expect(error.message).toContain(`${FILE}:1:`);
    expect(error.details.location?.line).toBe(1);
  });
});

test('the limits of lengths and budgets are in the schema', () => {
  const rule = { from: ['mail.*'], to: ['my.web.*', '*.post'], minLength: 4, pieceLength: 1_024 };
  const { policies } = parse(config({ dataFlow: [rule], servers: { mail: { maxCalls: 100_000 } } }));
  expect(policies.dataFlow).toEqual([{ ...rule, action: 'deny' }]);
  expect(() => parse(config({ servers: { mail: { maxCalls: 100_001 } } }))).toThrow('100000');
  expect(() => parse(config({ dataFlow: Array.from({ length: 31 }, () => rule) }))).toThrow('at most 30 rules');
});

test('without any, destructive tools ask and nothing else happens', () => {
  expect(parse({}).policies).toEqual({
    default: 'annotations',
    servers: {},
    dataFlow: [],
    personalData: { servers: [], kinds: ['email', 'phone', 'card', 'key'], patterns: {} },
  });
});
