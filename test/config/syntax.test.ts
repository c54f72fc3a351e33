import { describe, expect, test } from 'vitest';
import { errorOf, FILE } from './parse.ts';

describe('a file that is not JSON', () => {
  test('is told with line, column, the source line and a caret', () => {
    const error = errorOf('{\n  "http": {\n    "port": 80\n    "host": "h"\n  }\n}');
    expect(error.code).toBe('ERR_CONFIG_SYNTAX');
    expect(error.message).toBe(`${FILE}:4:5: not JSON: expected "," or "}", got "\\""\n      "host": "h"\n      ^`);
    expect(error.details.location).toEqual({ line: 4, column: 5, source: '    "host": "h"' });
  });

  test.each([
    ['a line comment', '{ "workers": 1 // one\n}'],
    ['a block comment', '{ /* "a" */ "workers": 1 }'],
    ['a trailing comma', '{ "workers": 1, }'],
    ['both, beside a URL with slashes', '{ "mcpServers": { "a": { "url": "http://h" } }, // x\n}'],
  ])('says so when it only has %s too much', (_what, text) => {
    const error = errorOf(text);
    expect(error.code).toBe('ERR_CONFIG_SYNTAX');
    expect(error.details.hint).toMatch(/^Without its comments and trailing commas the file would be right/);
  });

  test.each([
    [''],
    ['   '],
    ['{'],
    ['{"a"}'],
    ['{"a":}'],
    ['{"a":1'],
    ["{'a':1}"],
    ['{a:1}'],
    ['{"a":01}'],
    ['{"a":+1}'],
    ['{"a":NaN}'],
    ['{"a":"\t"}'],
    ['{} {}'],
    ['[1 2]'],
    ['"\\x"'],
  ])('is refused as %j', (text) => {
    const error = errorOf(text);
    expect(error.code).toBe('ERR_CONFIG_SYNTAX');
    expect(error.details.hint).toMatch(/^The file has to be plain JSON/);
  });

  test('is refused without an overflow when it is nested deeply', () => {
    expect(errorOf('['.repeat(200_000)).code).toBe('ERR_CONFIG_SYNTAX');
  });

  test('shows only the part of a long line around the position', () => {
    const { message } = errorOf(`{"cacheDir": "${'x'.repeat(1_000)}", !, "generatedDir": "${'y'.repeat(1_000)}"}`);
    const [, line = '', under = ''] = message.split('\n');
    expect(line.length).toBeLessThan(140);
    expect(line[under.indexOf('^')]).toBe('!');
  });
});
