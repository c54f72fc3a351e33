import { array, assert, constantFrom, property } from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { estimateTokens } from '../../src/server/estimate-tokens.ts';

const FOLDERS = ['../../src/wrappers/', '../../docs/', '../../examples/'];
const TEXTS = FOLDERS.flatMap((folder) => {
  const url = new URL(folder, import.meta.url);
  const files = readdirSync(url).filter((name) => /\.(?:ts|md|json)$/.test(name));
  return files.map((name) => readFileSync(new URL(name, url), 'utf8'));
});

function isBound(text: string): boolean {
  return countTokens(text, { allowedSpecial: 'all' }) <= estimateTokens(text);
}

test('the estimate is over the real count for code and prose, and not far over', () => {
  for (const text of TEXTS) expect(isBound(text)).toBe(true);
  const real = TEXTS.reduce((sum, text) => sum + countTokens(text), 0);
  const estimated = TEXTS.reduce((sum, text) => sum + estimateTokens(text), 0);
  expect(estimated / real).toBeLessThan(1.5);
});

test.each([
  ['letters without sense', 'abcdefghijklmnopqrstuvwxyz'],
  ['such words', 'abcdefghijklmnopqrstuvwxyz    '],
  ['capitals', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  ['numbers', '0123456789 .,'],
  ['hashes', '0123456789abcdef'],
  ['keys', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'],
  ['signs', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ \n'],
  ['Cyrillic letters', 'абвгдежзийклмнопрстуфхцчшщ '],
  ['Chinese characters', '漢字中文日本語工具列表問題的是'],
  ['pictures', '😀🎉👩‍💻 '],
])('the estimate is over the real count for %s', (_what, letters) => {
  const text = array(constantFrom(...Array.from(letters)), { minLength: 120, maxLength: 300 }).map((all) => all.join(''));
  expect(() => assert(property(text, isBound), { numRuns: 200, seed: 7 })).not.toThrow();
});

test('an empty text has no tokens', () => {
  expect(estimateTokens('')).toBe(0);
});
