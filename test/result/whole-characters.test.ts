import { expect, test } from 'vitest';
import { presentValue } from './outcome-fixture.ts';

const WARNED = [{ code: 'WARN_RESULT_TEXT', message: expect.stringContaining('lone surrogates') }];

test('half of a character in a result or its content is replaced, with a warning, because clients refuse the whole message', async () => {
  const note = { type: 'resource', resource: { uri: 'mem://1', text: 'x\ud800' } };
  for (const value of ['\ud800', { 'a\udc00': 1 }, [[{ deep: '😀\ude00' }]], note]) {
    const { structured, content } = await presentValue(value);
    expect(structured.status).toBe('completed');
    expect(JSON.stringify([structured, content])).not.toMatch(/\\ud[89a-f]/i);
    expect(JSON.stringify([structured, content])).toContain('\ufffd');
    expect(structured.warnings).toMatchObject(WARNED);
  }
});

test('half of a character in the arguments of a dry run is replaced too', async () => {
  const call = { server: 's', tool: 't', arguments: { a: ['x\ud800'] }, answer: 'none' as const };
  expect((await presentValue(1, {}, { dryRun: [call] })).structured.dryRun).toEqual([{ ...call, arguments: { a: ['x\ufffd'] } }]);
});

test.each(['😀', String.raw`\ud800`, [{ a: '😀' }]])(
  'whole characters, and texts that only name a half, stay as they are: %j',
  async (value) => {
    const { structured } = await presentValue(value);
    expect(structured).toMatchObject({ status: 'completed', result: value });
    expect(structured.warnings).toBeUndefined();
  },
);
