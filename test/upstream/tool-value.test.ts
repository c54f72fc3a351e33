import { expect, test } from 'vitest';
import { toolAnswer } from '../../src/upstream/tool-value.ts';

const MAX = 1_000_000;
const text = (value: string): object => ({ type: 'text', text: value });

function value(result: unknown): string {
  const answer = toolAnswer(result, MAX);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

const CASES: [title: string, result: unknown, expected: string][] = [
  ['structured content comes before text', { structuredContent: { a: 1 }, content: [text('other')] }, '{"a":1}'],
  ['structured content may be without content', { structuredContent: { a: 1 } }, '{"a":1}'],
  ['one text that is an object is parsed', { content: [text(' {"a": 1} ')] }, '{"a": 1}'],
  ['one text that is an array is parsed', { content: [text('[1]')] }, '[1]'],
  ['one text that is a number is parsed', { content: [text('12')] }, '12'],
  ['one text that is no JSON stays text', { content: [text('{a: 1}')] }, '"{a: 1}"'],
  ['an empty text stays text', { content: [text('')] }, '""'],
  ['texts are joined, even when each is JSON', { content: [text('1'), text('2')] }, String.raw`"1\n2"`],
  ['empty content is null', { content: [] }, 'null'],
  ['numbers beyond doubles survive in text', { content: [text('{"n":1e400}')] }, '{"n":1e400}'],
  [
    'numbers beyond doubles survive in structure',
    JSON.parse('{"structuredContent":{"n":1e400,"m":-1e999,"z":null}}'),
    '{"n":1e400,"m":-1e400,"z":null}',
  ],
  ['keys like __proto__ survive in text', { content: [text('{"__proto__":{"x":1}}')] }, '{"__proto__":{"x":1}}'],
  ['keys like __proto__ survive in structure', JSON.parse('{"structuredContent":{"__proto__":{"x":1}}}'), '{"__proto__":{"x":1}}'],
];

for (const [title, result, expected] of CASES) {
  test(`a result's value: ${title}`, () => {
    expect(value(result)).toBe(expected);
  });
}

test('images, audio, resources, links and mixed content stay as they are, unknown keys and all', () => {
  const content = [
    text('see'),
    { type: 'image', data: 'AAAA', mimeType: 'image/png', extra: { a: 1 } },
    { type: 'resource_link', uri: 'x://y', name: 'y' },
  ];
  expect(JSON.parse(value({ content }))).toEqual({ content });
});

test("a tool's own error has its text as message and its blocks intact", () => {
  const content = [text('no such file'), { type: 'image', data: 'AAAA', mimeType: 'image/png' }, text('sorry')];
  expect(toolAnswer({ isError: true, content }, MAX)).toEqual({
    ok: false,
    error: { code: 'ERR_CALL_TOOL', message: 'no such file\nsorry', content },
  });
});

test('the message of an error is at most 4 KiB and ends at a whole character', () => {
  const answer = toolAnswer({ isError: true, content: [text('é'.repeat(3_000))] }, MAX);
  expect(answer).toMatchObject({ error: { message: `${'é'.repeat(2_048)}...`, content: [text('é'.repeat(3_000))] } });
  const odd = toolAnswer({ isError: true, content: [text(`x${'é'.repeat(3_000)}`)] }, MAX);
  expect(odd).toMatchObject({ error: { message: `x${'é'.repeat(2_047)}...` } });
});

test('an error without text still says something', () => {
  expect(toolAnswer({ isError: true, content: [] }, MAX)).toMatchObject({
    error: { message: 'the tool answered with an error without text' },
  });
});

test('a value at the limit passes, and a byte more does not', () => {
  expect(toolAnswer({ content: [text('é'.repeat(49))] }, 100)).toMatchObject({ ok: true });
  expect(toolAnswer({ content: [text(`${'é'.repeat(49)}x`)] }, 100)).toMatchObject({
    ok: false,
    error: { code: 'ERR_UPSTREAM_TOO_LARGE' },
  });
});

test('what is no tool result is a protocol error', () => {
  for (const rubbish of [null, 5, 'x', [], {}, { content: 5 }, { content: [5] }, { content: [{}] }, { content: [], isError: 'yes' }]) {
    expect(toolAnswer(rubbish, MAX)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_PROTOCOL' } });
  }
});
