import { expect, test } from 'vitest';
import { valueOfMessage } from '../../src/result/tool-message.ts';

const text = (value: string): object => ({ type: 'text', text: value });

test.each([
  ['the structured content', { content: [text('x')], structuredContent: { a: ['é', 1] } }, '{"a":["é",1]}'],
  ['the text, where there is one', { content: [text('two\nlines')] }, '"two\\nlines"'],
  ['the text as JSON, where it is JSON', { content: [text('{"a": [1, "2"]}')] }, '{"a": [1, "2"]}'],
  ['all content else', { content: [text('a'), text('b')] }, '{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}'],
  ['the text and not a null', { content: [text('a')], structuredContent: null }, '"a"'],
])('of the message of a tool it is %s that counts', async (_what, result, expected) => {
  for (const message of [
    { jsonrpc: '2.0', id: 1, result },
    { result, jsonrpc: '2.0', id: 1 },
  ]) {
    expect(Buffer.from(await valueOfMessage(Buffer.from(JSON.stringify(message)))).toString()).toBe(expected);
  }
});

test('a message of another form is its own value', async () => {
  const message = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}');
  expect(await valueOfMessage(message)).toBe(message);
});
