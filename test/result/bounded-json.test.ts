import { assert, constantFrom, json, jsonValue, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkJsonBounds, parseBoundedJson } from '../../src/result/bounded-json.ts';

const WIDE = { maxBytes: 10_000_000, maxDepth: 1_000, maxNodes: 1_000_000 };

function nodesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, child) => sum + nodesOf(child), 1);
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('bounded JSON', () => {
  test('is parsed as JSON is', () => {
    assert(
      property(json(), (text) => {
        expect(parseBoundedJson(text, WIDE)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('is taken at its exact size, depth and number of values and refused one below each', () => {
    assert(
      property(jsonValue(), constantFrom(0, 1, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const exact = { maxBytes: Buffer.byteLength(text), maxDepth: depthOf(value), maxNodes: nodesOf(value) };
        expect(parseBoundedJson(text, exact)).toEqual(JSON.parse(text));
        for (const bound of ['maxBytes', 'maxDepth', 'maxNodes'] as const) {
          const less = { ...exact, [bound]: exact[bound] - 1 };
          expect(() => parseBoundedJson(text, less)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE' }));
        }
      }),
    );
  });

  test('counts bytes, not characters', () => {
    expect(parseBoundedJson('"é"', { ...WIDE, maxBytes: 4 })).toBe('é');
    expect(() => parseBoundedJson('"é"', { ...WIDE, maxBytes: 3 })).toThrow('at least 4 bytes; the limit is 3 bytes');
  });

  test('is not fooled by brackets, commas, quotes and backslashes in strings', () => {
    const value = ['[[[[{{{{,,,,', '\\', '"', '\\"[', ']]]]'];
    expect(parseBoundedJson(JSON.stringify(value), { ...WIDE, maxDepth: 1, maxNodes: 6 })).toEqual(value);
  });

  test('keeps __proto__ and constructor as plain data', () => {
    const value = parseBoundedJson('{"__proto__":{"polluted":1},"constructor":2}', WIDE);
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test.each(['', ' ', '{', '[1', '[1,]', 'undefined', 'NaN', "{'a':1}", '"\\x"', '"open', '1 2', '{"a":1}}', ']]]]'])(
    'refuses %j, which is not JSON',
    (text) => {
      expect(() => parseBoundedJson(text, WIDE)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_RESULT_INVALID' }));
    },
  );

  test('refuses bombs before anything is built, in no time', () => {
    const begin = performance.now();
    const bombs = ['['.repeat(9_000_000), '[],'.repeat(3_000_000), '{"a":'.repeat(1_900_000), `"${'\\'.repeat(9_000_000)}`];
    for (const bomb of bombs) expect(() => parseBoundedJson(bomb, { ...WIDE, maxNodes: 1_000 })).toThrow(/limit|not valid/);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test('names the value in its errors', () => {
    expect(() => checkJsonBounds('[[]]', { ...WIDE, maxDepth: 1 }, 'state')).toThrow(
      'The state is nested too deeply; the limit is 1 levels.',
    );
  });
});
