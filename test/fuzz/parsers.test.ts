import * as fc from 'fast-check';
import { expect } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { compileGlob } from '../../src/glob.ts';
import { prepareSource, readSource } from '../../src/bundle/source-text.ts';
import { readCursor, writeCursor } from '../../src/discovery/cursor.ts';
import { addressParts, compileAddress } from '../../src/policy/address.ts';
import { createPersonalData } from '../../src/policy/personal-data.ts';
import { policiesSchema } from '../../src/config/policy-schema.ts';
import { checkJsonBounds, fitsBounds, parseBoundedJson } from '../../src/result/bounded-json.ts';
import { measureJson } from '../../src/server/measure-json.ts';
import { isHandle, mintHandle } from '../../src/session/handle.ts';
import { LineReader } from '../../src/upstream/line-reader.ts';
import { property } from './property.ts';

const jsonTexts = fc.oneof(
  fc.json({ stringUnit: 'binary', depthSize: 'large' }),
  // What a string holds counts for nothing.
  fc.json({ stringUnit: fc.constantFrom('"', '\\', '[', '}', ',', ':', 'a'), depthSize: 'large' }),
  fc.tuple(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(4)).map(([value, spaces]) => JSON.stringify(value, undefined, spaces)),
  fc.nat(80).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc
    .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'a', '\\"', '"k":', ' '), { maxLength: 30 })
    .map((parts) => parts.join('')),
);
const bounds = fc.record({ maxBytes: fc.nat(300), maxDepth: fc.nat(8), maxNodes: fc.nat(30) });

property(
  'what passes the bounds of JSON is within them, and what is within them passes',
  800,
  fc.tuple(jsonTexts, bounds),
  ([text, limits]) => {
    const passed = fitsBounds(text, limits);
    expect(outcomeOf(() => checkJsonBounds(text, limits))).toBe(passed ? 'passes' : 'ERR_EXECUTE_RESULT_TOO_LARGE');
    const value = outcomeOf(() => parseBoundedJson(text, limits));
    const known = outcomeOf(() => JSON.parse(text));
    if (known === 'passes') {
      const { depth, nodes } = measureJson(JSON.parse(text), 10_000, 1_000_000);
      const isWithin = Buffer.byteLength(text) <= limits.maxBytes && depth <= limits.maxDepth && nodes <= limits.maxNodes;
      // Of members with one key JSON.parse keeps the last: the text has more in it than the value.
      if (passed) expect(isWithin).toBe(true);
      else if (isWithin) expect(JSON.stringify(JSON.parse(text)).length).toBeLessThan(text.length);
    }
    expect(value).toBe(passed ? (known === 'passes' ? 'passes' : 'ERR_EXECUTE_RESULT_INVALID') : 'ERR_EXECUTE_RESULT_TOO_LARGE');
  },
);

function outcomeOf(work: () => unknown): string {
  try {
    work();
    return 'passes';
  } catch (thrown) {
    return thrown instanceof SandboxError ? thrown.code : 'throws';
  }
}

const lineBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', '{"id":1}', '[[],[]]'),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.nat(90).map((n) => 'x'.repeat(n)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.join('')));

/** What a reader of lines of 64 bytes sees of bytes that come in these pieces. */
function linesOf(bytes: Buffer, cuts: readonly number[]): string[] {
  const seen: string[] = [];
  const reader = new LineReader(64, {
    line: (line) => seen.push(`line ${line}`),
    oversized: (head, tail) => seen.push(`over ${head.slice(0, 20)} ${tail.slice(-20)}`),
    flooded: () => undefined,
  });
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    reader.push(Buffer.from(bytes.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  return seen;
}

property(
  'lines are the same at whatever byte they are cut',
  300,
  fc.tuple(lineBytes, fc.array(fc.nat(300), { maxLength: 10 })),
  ([bytes, cuts]) => {
    const whole = linesOf(bytes, []);
    expect(linesOf(bytes, cuts)).toEqual(whole);
    expect(
      linesOf(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
    ).toEqual(whole);
    const honest = bytes.toString('utf8').split('\n').slice(0, -1);
    expect(whole.length).toBe(bytes.toString('latin1').split('\n').length - 1);
    if (!whole.some((line) => line.startsWith('over'))) expect(whole).toEqual(honest.map((line) => `line ${line.replace(/\r$/u, '')}`));
  },
);

const nearGlob = fc
  .array(fc.constantFrom('*', '?', 'a', 'b', '.', '/', '-', ' ', 'ü', '\n'), { maxLength: 8 })
  .map((parts) => parts.join(''));
const name = fc.array(fc.constantFrom('a', 'b', '.', '/', '-', ' ', 'ü', '\n', '*', '?'), { maxLength: 10 }).map((parts) => parts.join(''));

/** What `*` and `?` mean: any characters, and one. */
function reference(glob: string, text: string): boolean {
  const escaped = Array.from(glob, (one) =>
    one === '*' ? '[^]*' : one === '?' ? '[^]' : one.replace(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`),
  );
  return new RegExp(`^${escaped.join('')}$`, 'v').test(text) || glob === text;
}

property('a glob of stars and question marks matches what they mean', 1_000, fc.tuple(nearGlob, name), ([glob, text]) => {
  expect(compileGlob(glob)(text)).toBe(reference(glob, text));
});

property(
  'any glob and any name are compared in no time',
  200,
  fc.tuple(
    fc.oneof(nearGlob, fc.string({ maxLength: 12 }), fc.constantFrom('*a*a*a*a*b', '**********x', '?*?*?*?*b', '{a,b}*', '[a-z]*[0-9]')),
    fc.oneof(
      fc.string(),
      fc.nat(2_000).map((n) => 'a'.repeat(n)),
    ),
  ),
  ([glob, text]) => {
    const from = performance.now();
    const matches = outcomeOf(() => compileGlob(glob)(text));
    expect(matches).toBe('passes');
    expect(performance.now() - from).toBeLessThan(5_000);
  },
);

property(
  'an address is read in every way that it can be read, and matches what its parts match',
  300,
  fc.tuple(nearGlob, name, name),
  ([text, server, tool]) => {
    for (const part of addressParts(text)) expect(`${part.server}.${part.tool}`).toBe(text);
    const parts = addressParts(text);
    const known = parts.some((part) => compileGlob(part.server)(server) && compileGlob(part.tool)(tool));
    expect(compileAddress(text).matches(server, tool)).toBe(known);
  },
);

const code = fc
  .array(
    fc.oneof(
      fc.constantFrom('\uFEFF', '```', '```ts\n', '~~~', '\n', '\r\n', '\u2028', '#!', '/usr/bin/env', 'return 1', '🍀', '\ud800', '`'),
      fc.string({ unit: 'binary', maxLength: 10 }),
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''));

property(
  'a source keeps its length and its places, whatever is around it',
  500,
  fc.tuple(code, fc.integer({ min: -5, max: 120 })),
  ([source, offset]) => {
    const { shown, text } = prepareSource(source);
    expect(text.length).toBe(shown.length);
    expect(text.replaceAll(/[^\n\r\u2028\u2029]/gu, '')).toBe(shown.replaceAll(/[^\n\r\u2028\u2029]/gu, ''));
    for (let at = 0; at < text.length; at++) if (text[at] !== shown[at]) expect(text[at]).toBe(' ');
    const { line, column, source: excerpt } = readSource(source).locationAt(offset);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(shown.includes(excerpt)).toBe(true);
  },
);

const scope = fc.record({ query: fc.string({ unit: 'binary' }), server: fc.option(fc.string(), { nil: undefined }), content: fc.string() });

property(
  'a cursor leads back to its place, and any other text is refused with a code',
  300,
  fc.tuple(
    scope,
    fc.nat(999_999_999),
    scope,
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((t) => `1.${t}`),
    ),
  ),
  ([own, offset, other, text]) => {
    const cursor = writeCursor(offset, own);
    expect(readCursor(cursor, own)).toBe(offset);
    if (JSON.stringify(own) !== JSON.stringify(other)) expect(outcomeOf(() => readCursor(cursor, other))).toBe('ERR_SERVER_INPUT');
    expect(['passes', 'ERR_SERVER_INPUT']).toContain(outcomeOf(() => readCursor(text, own)));
  },
);

property('no other text is taken for a handle', 300, fc.tuple(fc.string({ unit: 'binary' }), fc.nat(40)), ([text, at]) => {
  const handle = mintHandle();
  expect(isHandle(handle)).toBe(true);
  expect(isHandle(handle.slice(0, at))).toBe(at === handle.length || at > handle.length);
  expect(isHandle(`${handle}${text}`)).toBe(text === '');
  expect(isHandle(text)).toBe(/^ses_[A-Za-z0-9_-]{32}$/u.test(text) && !text.endsWith('\n'));
});

const person = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom(
    '+49 170 1234567',
    '4111 1111 1111 1111',
    `sk-${'a1B2'.repeat(8)}`,
    'ada@example.org',
    '‹email_0123456789›',
    '‹email_',
    '›',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const about = fc.oneof(
  person,
  fc.array(person, { maxLength: 4 }),
  fc.dictionary(fc.oneof(fc.constantFrom('email', 'phone', 'note', '__proto__'), person), fc.oneof(person, fc.nat(2 ** 31)), {
    maxKeys: 4,
  }),
  fc.jsonValue({ stringUnit: 'binary' }),
);

property('what is hidden from the model comes back whole where its tokens are put back', 150, fc.tuple(about, about), ([first, second]) => {
  const data = createPersonalData(policiesSchema.parse({ personalData: { servers: ['crm'] } }).personalData, 60_000);
  const run = data?.begin('local');
  if (!run) throw new Error('no rules');
  for (const value of [first, second]) [...run.note(value)].at(0);
  for (const value of [first, second]) {
    const hidden = run.hide === undefined ? value : run.hide.value(value);
    // A text that looks like a token of somebody else's is no token of this run.
    if (JSON.stringify(value).includes('‹')) continue;
    const back = run.putBack(hidden);
    expect(back.ok).toBe(true);
    if (back.ok) expect(JSON.stringify(back.value)).toBe(JSON.stringify(value));
  }
});
