import { expect, test } from 'vitest';
import { compileLimitKey } from '../../src/policy/limit-keys.ts';
import { catalogOf, desk, tool } from './policies.ts';

const NAME = 'get-structured-content-of-everything';

test.each([
  ['tickets.create', 'tickets', 'create', true],
  ['tickets.create', 'tickets', 'Create', false],
  ['tickets.create', 'tickets', 'create.many', false],
  ['tickets.*', 'tickets', 'create.many', true],
  ['a.b.c', 'a.b', 'c', true],
  ['a.b.c', 'a', 'b.c', true],
  ['*.post', 'web', 'post', true],
  ['web.p*t*', 'web', 'post-it', true],
  ['web.p*t', 'web', 'post-it', true],
  ['web.p*x', 'web', 'post-it', false],
  ['web.[a-z]*', 'web', 'post', false],
  ['web.**', 'web', 'post', true],
])('%s and %s.%s: %s', (key, server, name, expected) => {
  expect(compileLimitKey(key).matches(server, name)).toBe(expected);
});

test('a key that would keep a glob busy for ever takes no time', () => {
  const began = performance.now();
  for (const key of [
    'web.*(*[a-z])*(*[a-z])*(*[a-z])*([a-z])!',
    'web.(([a-z-]+)+)!',
    `web.${'*a'.repeat(150)}!`,
    `web${'.a'.repeat(200)}`,
  ]) {
    expect(compileLimitKey(key).matches('web', NAME)).toBe(false);
  }
  expect(performance.now() - began).toBeLessThan(500);
});

test('a call with many keys that mean nothing begins at once', () => {
  const tools = Array.from({ length: 1_000 }, (_, n) => tool(`${NAME}-${n}`));
  const catalog = catalogOf({ web: tools });
  const { policing } = desk({}, { web: tools });
  const keys = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`web.${'*a'.repeat(20)}${n}`, 1]));
  const began = performance.now();
  expect(policing.begin({ principal: 'local', tools: keys, catalog }).warnings).toHaveLength(20);
  expect(performance.now() - began).toBeLessThan(1_500);
});
