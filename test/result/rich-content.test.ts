import { describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { presentValue, textOf } from './outcome-fixture.ts';

const image = { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png', annotations: { audience: ['user'], priority: 1 }, _meta: { a: 1 } };
const audio = { type: 'audio', data: 'aGVsbG8h', mimeType: 'audio/wav' };
const textResource = { type: 'resource', resource: { uri: 'file:///a', mimeType: 'text/plain', text: 'é' } };
const blobResource = { type: 'resource', resource: { uri: 'file:///b', blob: 'aGVsbG8=' } };
const link = { type: 'resource_link', uri: 'https://x.example/y', name: 'y' };
const text = { type: 'text', text: 'hello' };

describe('rich content', () => {
  test.each([
    [image, { type: 'image', mimeType: 'image/png', bytes: 5, contentIndex: 1 }],
    [audio, { type: 'audio', mimeType: 'audio/wav', bytes: 6, contentIndex: 1 }],
    [textResource, { type: 'resource', uri: 'file:///a', mimeType: 'text/plain', bytes: 2, contentIndex: 1 }],
    [blobResource, { type: 'resource', uri: 'file:///b', bytes: 5, contentIndex: 1 }],
    [link, { type: 'resource_link', uri: 'https://x.example/y', contentIndex: 1 }],
  ])('of the form %j arrives intact, with a placeholder in the result', (block, placeholder) => {
    const response = presentValue(block);
    expect(response.content.slice(1)).toEqual([block]);
    expect(response.structured.result).toEqual(placeholder);
    expect(executeOutputSchema.parse(response.structured)).toBeTruthy();
  });

  test('in an array is taken out in order and the rest stays', () => {
    const { content, structured } = presentValue([1, image, { x: 1 }, link, null]);
    expect(content.slice(1)).toEqual([image, link]);
    expect(structured.result).toMatchObject([1, { contentIndex: 1 }, { x: 1 }, { contentIndex: 2 }, null]);
  });

  test('in the answer of a tool is taken out with the text next to it', () => {
    const { content, structured } = presentValue({ content: [text, image], isError: false });
    expect(content.slice(1)).toEqual([text, image]);
    expect(structured.result).toEqual({
      content: [
        { type: 'text', bytes: 5, contentIndex: 1 },
        { type: 'image', mimeType: 'image/png', bytes: 5, contentIndex: 2 },
      ],
      isError: false,
    });
  });

  test('is never sent twice', () => {
    const response = presentValue([image, textResource, { content: [image] }]);
    expect(JSON.stringify(response.structured.result).split('aGVsbG8=')).toHaveLength(2); // the one that is too deep inside
    expect(textOf(presentValue(image))).not.toContain('aGVsbG8=');
    expect(textOf(presentValue(image))).toContain('1 content block follows');
  });

  test.each([
    text,
    { content: [text] },
    { content: 'text' },
    { nested: { image } },
    { ...image, data: 'not base64!' },
    { ...image, data: 'abc' },
    { ...image, mimeType: '' },
    { ...image, mimeType: 5 },
    { ...image, annotations: { audience: ['robots'] } },
    { ...image, annotations: { priority: 2 } },
    { ...image, _meta: [] },
    { type: 'image' },
    { type: 'resource', resource: { uri: 'x' } },
    { type: 'resource', resource: null },
    { type: 'resource_link', uri: 'x' },
    { type: 'video', data: 'aGVsbG8=', mimeType: 'video/mp4' },
  ])('that is none, such as %j, stays plain data', (value) => {
    const { content, structured } = presentValue(value);
    expect(content).toHaveLength(1);
    expect(structured.result).toEqual(value);
  });

  test('next to a key like __proto__ touches no prototype', () => {
    const value = JSON.parse(`{"__proto__":{"polluted":1},"content":[${JSON.stringify(image)}]}`) as object;
    const { structured } = presentValue(value);
    expect(Object.keys(structured.result as object)).toEqual(['__proto__', 'content']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
