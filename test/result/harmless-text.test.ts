import { expect, test } from 'vitest';
import { harmlessLine, harmlessText } from '../../src/result/harmless-text.ts';

test.each([
  ['the bell', '\u0007'],
  ['an escape', '\u001b'],
  ['an eight-bit escape', '\u009b'],
  ['a soft hyphen', '\u00ad'],
  ['a mark of direction', '\u061c'],
  ['an override of direction', '\u202e'],
  ['an isolate', '\u2066'],
  ['a filler', '\u3164'],
  ['nothing at all', '\u200b'],
  ['a tag letter', '\u{e0041}'],
  ['a selector', '\u{e0100}'],
])('%s is made visible', (_name, character) => {
  const shown = harmlessText(`a${character}b`);
  expect(shown).toMatch(/^a(\\u[\da-f]{4}){1,2}b$/);
  expect(JSON.parse(`"${shown}"`)).toBe(`a${character}b`);
});

test.each(['Füße', '日本語', '👩‍👩‍👧', 'a\tb\nc', '🏴', 'नि‌ष', '\u{e01f0}'])('%j stays as it is', (text) => {
  expect(harmlessText(text)).toBe(text);
});

test('half of a pair is no letter, and one line stays one', () => {
  expect(harmlessText('a\ud800b')).toBe('a\ufffdb');
  expect(harmlessLine('a\nb\tc')).toBe('a\\nb\\tc');
});
