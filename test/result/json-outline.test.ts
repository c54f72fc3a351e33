import { expect, test } from 'vitest';
import { outlineJson } from '../../src/result/json-outline.ts';
import { previewJson } from '../../src/result/json-preview.ts';

test.each(['[1,2,]', '[,1]', '[1 2]', '["a" "b"]', '{"a":1,}', '{"a":1 "b":2}', '[[],[1,],2]'])(
  'a list or an object with a comma too many or too few is no JSON: %s',
  async (text) => {
    await expect(outlineJson(Buffer.from(text))).rejects.toMatchObject({ code: 'ERR_EXECUTE_RESULT_INVALID' });
  },
);

test('an outline counts what it does not show', async () => {
  const value = [Array.from({ length: 3_000 }, (_, index) => [index, { index }]), { a: [[[1]]], b: 'é'.repeat(10) }];
  const bytes = Buffer.from(JSON.stringify(value));
  const { root, depth } = await outlineJson(bytes);
  expect(root).toMatchObject({ kind: 'list', total: 2, start: 0, end: bytes.length });
  expect(root.kind === 'list' && root.items[0]).toMatchObject({ kind: 'list', total: 3_000 });
  expect(depth).toBe(5);
  const { value: shown, shortened } = previewJson(root, bytes, 100);
  expect(JSON.stringify(shown).length).toBeLessThanOrEqual(100);
  expect(shortened[0]).toMatchObject({ path: '$[0]', of: 3_000 });
});
