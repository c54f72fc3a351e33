import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonSyntaxError, parseJson } from '../../src/config/json-source.ts';

const withoutPrototypeKey = (text: string) => !text.includes('__proto__');

describe('parsing JSON', () => {
  test('gives the values of JSON.parse', () => {
    fc.assert(
      fc.property(fc.json().filter(withoutPrototypeKey), (text) => {
        expect(JSON.stringify(parseJson(text).value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('takes what JSON.parse takes, and nothing else', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '0',
      '.5',
      'e3',
      'true',
      'nul',
      ' ',
      '\n',
      '\\',
      '\\u00e9',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 6 }), (tokens) => {
        const text = tokens.join('');
        expect(accepts(parseJson, text)).toBe(accepts(JSON.parse, text));
      }),
      { numRuns: 3_000 },
    );
  });

  test('keeps where every value stands', () => {
    const text = '{ "a": [ 10, { "b c": null } ] }';
    const { spans } = parseJson(text);
    const at = (...path: (string | number)[]) => spans.get(JSON.stringify(path));
    expect(at('a')).toEqual({ key: 2, start: 7, end: 30 });
    expect(at('a', 0)).toEqual({ key: 9, start: 9, end: 11 });
    expect(at('a', 1, 'b c')).toEqual({ key: 15, start: 22, end: 26 });
    expect(at()).toEqual({ key: 0, start: 0, end: text.length });
  });

  test('reports keys that stand twice and prototypes, and never sets a prototype', () => {
    const { value, badKeys } = parseJson('{"a": 1, "a": {"__proto__": {"x": 1}}}');
    expect(badKeys.map(({ path }) => path)).toEqual([['a'], ['a', '__proto__']]);
    expect(value).toEqual({ a: {} });
  });

  test('says where it stopped', () => {
    expect(() => parseJson('{"a": [1, }')).toThrow(expect.objectContaining({ offset: 10, path: ['a', 1] }));
    expect(() => parseJson('{')).toThrow(JsonSyntaxError);
  });
});

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
