import { expect, test } from 'vitest';
import { isJsonWithComments } from '../../src/config/json-comments.ts';

test('comments and commas in strings are not comments and commas', () => {
  expect(isJsonWithComments('{"a": "// \\" /* ,}", } // x')).toBe(true);
  expect(isJsonWithComments('{"a": "x" "b": 1} // x')).toBe(false);
});
