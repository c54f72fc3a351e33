import { describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { PNG } from '../server/canned-port.ts';
import { presentValue, textOf } from './outcome-fixture.ts';

const WAV = Buffer.from('RIFF\0\0\0\0WAVE').toString('base64');
const image = { type: 'image', data: PNG, mimeType: 'image/png', annotations: { audience: ['user'], priority: 1 }, _meta: { a: 1 } };
const audio = { type: 'audio', data: WAV, mimeType: 'audio/wav' };
const textResource = { type: 'resource', resource: { uri: 'file:///a', mimeType: 'text/plain', text: 'é' } };
const blobResource = { type: 'resource', resource: { uri: 'file:///b', blob: 'aGVsbG8=' } };
const link = { type: 'resource_link', uri: 'https://x.example/y', name: 'y' };
const text = { type: 'text', text: 'hello' };

describe('rich content', () => {
  test.each([
    [image, { type: 'image', mimeType: 'image/png', bytes: 70, contentIndex: 1 }],
    [audio, { type: 'audio', mimeType: 'audio/wav', bytes: 12, contentIndex: 1 }],
    [textResource, { type: 'resource', uri: 'file:///a', mimeType: 'text/plain', bytes: 2, contentIndex: 1 }],
    [blobResource, { type: 'resource', uri: 'file:///b', bytes: 5, contentIndex: 1 }],
    [link, { type: 'resource_link', uri: 'https://x.example/y', contentIndex: 1 }],
  ])('of the form %j arrives intact, with a placeholder in the result', async (block, placeholder) => {
    const response = await presentValue(block);
    expect(response.content.slice(1)).toEqual([block]);
    expect(response.structured.result).toEqual(placeholder);
    expect(executeOutputSchema.parse(response.structured)).toBeTruthy();
  });

  test('in an array is taken out in order and the rest stays', async () => {
    const { content, structured } = await presentValue([1, image, { x: 1 }, link, null]);
    expect(content.slice(1)).toEqual([image, link]);
    expect(structured.result).toMatchObject([1, { contentIndex: 1 }, { x: 1 }, { contentIndex: 2 }, null]);
  });

  test('in the answer of a tool is taken out with the text next to it', async () => {
    const { content, structured } = await presentValue({ content: [text, image], isError: false });
    expect(content.slice(1)).toEqual([text, image]);
    expect(structured.result).toEqual({
      content: [
        { type: 'text', bytes: 5, contentIndex: 1 },
        { type: 'image', mimeType: 'image/png', bytes: 70, contentIndex: 2 },
      ],
      isError: false,
    });
  });

  test('is found beside the content of such an answer too', async () => {
    const { content, structured } = await presentValue({ content: [text], shots: [image], __proto: link });
    expect(content.slice(1)).toEqual([image, link]);
    expect(structured.result).toMatchObject({ content: [text], shots: [{ contentIndex: 1 }], __proto: { contentIndex: 2 } });
  });

  test('with hundreds of texts around it has a bounded number of blocks', async () => {
    const { content } = await presentValue({ content: [image, ...Array.from({ length: 300 }, () => text)] });
    expect(content).toHaveLength(1 + 64);
  });

  test('that links to what is kept anyway is not there twice', async () => {
    const kept = { what: 'call' as const, uri: 'ampoule://results/1', bytes: 5, expiresAt: '2026-01-01T00:00:00.000Z', shortened: [] };
    const passedOn = { type: 'resource_link', uri: kept.uri, name: 'all of it' };
    const { content } = await presentValue([passedOn], {}, { kept: [kept, { ...kept, uri: 'ampoule://results/2' }] });
    expect(content.slice(1)).toEqual([passedOn, expect.objectContaining({ uri: 'ampoule://results/2' })]);
  });

  test('is found deep inside of the result', async () => {
    const { content, structured } = await presentValue({ pages: [{ number: 1, shot: image }], tool: { content: [text, audio] } });
    expect(content.slice(1)).toEqual([image, audio]);
    expect(structured.result).toMatchObject({
      pages: [{ number: 1, shot: { contentIndex: 1 } }],
      tool: { content: [text, { contentIndex: 2 }] },
    });
  });

  test('is never sent twice', async () => {
    for (const form of ['structured', 'text'] as const) {
      const response = await presentValue([image, textResource, { content: [image] }], {}, { form });
      expect(JSON.stringify(response.structured.result)).not.toContain(PNG);
      expect(textOf(response)).not.toContain(PNG);
      expect(textOf(response)).toContain('3 content blocks follow');
    }
  });

  test('of which there are too many stays plain data from the 65th on', async () => {
    const { content, structured } = await presentValue(Array.from({ length: 66 }, () => link));
    expect(content).toHaveLength(1 + 64);
    expect((structured.result as object[]).slice(64)).toEqual([link, link]);
  });

  test.each([
    ['base64', { ...image, data: 'not base64!' }],
    ['base64', { ...image, data: 'abc' }],
    ['first bytes', { ...image, data: 'aGVsbG8=' }],
    ['first bytes', { ...image, mimeType: 'image/jpeg' }],
    ['first bytes', { ...audio, mimeType: 'audio/ogg' }],
    ['no type of image', { ...image, mimeType: '' }],
    ['no type of image', { ...image, mimeType: 'text/html' }],
    ['no type of image', { ...image, mimeType: 'image/' }],
    ['no mimeType', { ...image, mimeType: 5 }],
    ['empty', { ...image, data: '' }],
    ['MCP', { ...image, annotations: { audience: ['robots'] } }],
    ['MCP', { ...image, annotations: { priority: 2 } }],
    ['MCP', { ...image, annotations: { lastModified: 'yesterday' } }],
    ['MCP', { ...image, _meta: [] }],
    ['neither text nor blob', { type: 'resource', resource: { uri: 'x' } }],
    ['blob is not base64', { type: 'resource', resource: { uri: 'x', blob: '?' } }],
  ])('that is none stays plain data with a warning that says %s: %j', async (reason, value) => {
    const { content, structured } = await presentValue({ shot: value });
    expect(content).toHaveLength(1);
    expect(structured).toMatchObject({
      status: 'completed',
      result: { shot: value },
      warnings: [{ code: 'WARN_CONTENT_INVALID', message: expect.stringMatching(new RegExp(`^\\$\\.shot .*${reason}`)) }],
    });
  });

  test.each([
    text,
    { content: [text] },
    { content: 'text' },
    { type: 'image' },
    { type: 'image', url: 'https://x.example/a.png' },
    { type: 'resource', resource: null },
    { type: 'resource_link', uri: 'x' },
    { type: 'video', data: 'aGVsbG8=', mimeType: 'video/mp4' },
  ])('is not what does not claim to be any, such as %j', async (value) => {
    const { content, structured } = await presentValue(value);
    expect(content).toHaveLength(1);
    expect(structured.result).toEqual(value);
    expect(structured.warnings).toBeUndefined();
  });

  test('next to a key like __proto__ touches no prototype', async () => {
    const value = JSON.parse(`{"__proto__":{"polluted":1},"content":[${JSON.stringify(image)}]}`) as object;
    const { structured } = await presentValue(value);
    expect(Object.keys(structured.result as object)).toEqual(['__proto__', 'content']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
