import { expect, test } from 'vitest';

import { blockComment, commentText, firstLine, literal, propertyKey } from '../../src/wrappers/text.ts';

test('a comment text cannot end its comment', () => {
  for (const text of ['*/', '**/', '*/*/', '*\u200b/', '*\u0000/', '*\n/', '* /', '*\\/']) {
    expect(blockComment([commentText(text, 100)]).slice(3, -2)).not.toContain('*/');
  }
});

test('a comment text has no tags, no invisible characters and unix line ends', () => {
  expect(commentText('a\r\nb\rc\u2028d\te \u202e\u0007f\n\n\n\ng', 100)).toBe('a\nb\nc\nd  e f\n\ng');
  expect(commentText('@deprecated x {@link y} a@b.c', 100)).toBe('\\@deprecated x {\\@link y} a@b.c');
});

test('a text is cut at its bound and not one unit before', () => {
  expect(commentText('x'.repeat(100), 100)).toBe('x'.repeat(100));
  expect(commentText('x'.repeat(101), 100)).toBe(`${'x'.repeat(97)}...`);
  expect(commentText('😀'.repeat(100), 100)).toMatch(/^(😀)+\.\.\.$/u);
});

test('a literal is one line of visible characters that means the same', () => {
  for (const value of ['"', "'", '`${x}`', '\n\u2028\u2029', '\u202e', '\\', '</script>', '\u{E0041}', 'é']) {
    const source = literal(value);
    expect(source).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(source)).toBe(value);
  }
});

test('property names are bare only when that is legal', () => {
  expect(['a', '$a_1', 'new', 'a-b', '1', '', 'é', '*/'].map(propertyKey)).toEqual([
    'a',
    '$a_1',
    'new',
    '"a-b"',
    '"1"',
    '""',
    '"é"',
    '"*/"',
  ]);
});

test('the first line of a description is its summary', () => {
  expect(firstLine('\n  Reads\u202e a file. \nMore.', 200)).toBe('Reads a file.');
  expect(firstLine('', 200)).toBe('');
  expect(firstLine('x'.repeat(5_000_000), 200)).toHaveLength(200);
});
