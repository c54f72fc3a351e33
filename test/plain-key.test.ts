import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainKey } from '../src/plain-key.ts';

test.each(
  'id createdAt created_at html_url total-count $ref $schema @type @context _links __typename HTTPStatus nodeId sha256 sha512 base64 utf8 line1 oauth2 i18n k8s p95 ipv4 mimeType X-Request-Id ETag issuesAndPullRequests'.split(
    ' ',
  ),
)('%s is a name', (key) => {
  expect(isPlainKey(key)).toBe(true);
});

test.each([
  '',
  '__proto__',
  '0',
  '42',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  'someone@example.com',
  'example.com',
  'a/b',
  'https://example.com',
  'Jane Doe',
  'Žofie',
  '用户',
  'user10245',
  'ISSUE-1042',
  'a3bb189e-8bf9-3888-9912-ace4e6543002',
  'd41d8cd98f00b204e9800998ecf8427e',
  'deadbeefcafe0123',
  'AKIAIOSFODNN7EXAMPLE',
  'ghp_abcDEF123xyz',
  'sk-proj-4f9a0c',
  'eyJhbGciOiJIUzI1NiJ9',
  'QmYwAPJzvTkGfSdRnLxHb',
  'xkqzjvbnmwrtplk',
  'abcdefghijklmnopqrstuvwxyzabc',
  `a${'_a'.repeat(40)}`,
  'a\u2028b',
  '*/',
])('%j is data', (key) => {
  expect(isPlainKey(key)).toBe(false);
});

test('identifiers of any kind are data', () => {
  const identifier = fc.oneof(fc.uuid(), fc.emailAddress(), fc.ipV4(), fc.webUrl(), fc.domain());
  expect(fc.sample(identifier, 2_000).filter(isPlainKey)).toEqual([]);
});

test('any text takes no time', () => {
  const began = performance.now();
  for (const part of ['a', 'aB', 'a1', '_', '-a', 'sha256', 'bcdf']) isPlainKey(part.repeat(200_000));
  expect(performance.now() - began).toBeLessThan(500);
});
