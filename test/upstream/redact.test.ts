import { expect, test } from 'vitest';
import { createRedact } from '../../src/upstream/redact.ts';
import { fixture, remote } from './harness.ts';

test('values of the environment never show, in any form, and neither does half of one', () => {
  const redact = createRedact(fixture('x', [], { env: { A: 'se cret"1', B: 'se cret"1 and more', SHORT: 'no' } }));
  expect(redact('a se cret"1 and more b')).toBe('a *** b');
  expect(redact('a se%20cret%221 b se cret\\"1 no')).toBe('a *** b *** no');
  expect(redact(`${'x'.repeat(295)}se cret"1`)).toBe(`${'x'.repeat(295)}***`);
});

test('headers and all of a URL beyond its origin never show', () => {
  const config = remote('http', 'https://user:pass-word@host.example/mcp/tok?key=val-ue', {
    headers: { Authorization: 'Bearer abcdefgh' },
  });
  const redact = createRedact(config);
  const shown = redact(`${config.url} got Bearer abcdefgh, abcdefgh, val-ue and https://host.example/mcp/tok, pass-word`);
  for (const secret of ['pass-word', 'tok', 'val-ue', 'abcdefgh']) expect(shown).not.toContain(secret);
});

test('text becomes one bounded line without control characters', () => {
  const redact = createRedact(fixture('x'));
  expect(redact('a\r\nb\u001b[31m\u2028c\u202ed')).toBe('a b [31m c d');
  expect(redact('x'.repeat(1_000_000))).toBe(`${'x'.repeat(300)}...`);
});
