import * as fc from 'fast-check';
import { expect } from 'vitest';
import { outlineJson } from '../../src/result/json-outline.ts';
import { previewJson } from '../../src/result/json-preview.ts';
import { changeStrings } from '../../src/result/json-strings.ts';
import { splitRichContent } from '../../src/result/rich-content.ts';
import { changeNumbers } from '../../src/policy/json-numbers.ts';
import { harmlessText } from '../../src/result/harmless-text.ts';
import { parseKept } from './kept-text.ts';
import { measureJson } from '../../src/server/measure-json.ts';
import { property } from './property.ts';

const unit = fc.oneof(
  fc.constantFrom('"', '\\', '[', '}', ',', ':', 'a', 'ü', '🍀', '\n', '\u0000', '\ud800'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const text = fc.string({ unit, maxLength: 12 });
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.oneof(
      fc.constantFrom(null, true, 0, -0.5, 1e300),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      text,
      text.map((t) => t.repeat(40)),
    ),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.oneof(fc.constantFrom('a', 'type', 'data'), text), tie('value'), { maxKeys: 5 }),
  ),
}));

property(
  'a preview of any JSON is JSON, small enough, and the whole where it fits',
  250,
  fc.tuple(value, fc.oneof(fc.nat(600), fc.constant(100_000))),
  async ([whole, maxBytes]) => {
    const bytes = Buffer.from(JSON.stringify(whole));
    const { root, depth, values } = await outlineJson(bytes);
    const measured = measureJson(JSON.parse(bytes.toString()), 10_000, 1_000_000);
    expect([depth, values]).toEqual([measured.depth, measured.nodes]);
    const { value: shown, shortened } = previewJson(root, bytes, maxBytes);
    const shownText = JSON.stringify(shown);
    if (maxBytes > 20_000) expect([shownText, shortened]).toEqual([JSON.stringify(wellFormed(JSON.parse(bytes.toString()))), []]);
    if (shownText !== JSON.stringify(wellFormed(JSON.parse(bytes.toString())))) expect(shortened.length).toBeGreaterThan(0);
    expect(shownText.length).toBeLessThanOrEqual(Math.max(bytes.length, 200));
  },
);

/** A preview is for people: half characters are replaced in it. */
function wellFormed(whole: unknown): unknown {
  return parseKept(
    JSON.stringify(whole),
    (one) => one.toWellFormed(),
    (key) => key,
  );
}

property('strings of JSON are changed where they are, and nothing else is', 250, value, async (whole) => {
  const bytes = Buffer.from(JSON.stringify(whole));
  expect(Buffer.compare(await changeStrings(bytes, (one) => one), bytes)).toBe(0);
  const changed = await changeStrings(bytes, (one) => one.replaceAll('a', 'b"\\'));
  expect(JSON.parse(changed.toString())).toEqual(parseKept(bytes.toString(), (one) => one.replaceAll('a', 'b"\\')));
});

property('numbers of JSON are changed where they are, with the names of their members', 250, value, (whole) => {
  const source = JSON.stringify(whole);
  expect(changeNumbers(source, () => undefined)).toBe(source);
  const seen: (string | undefined)[] = [];
  const changed = changeNumbers(source, (number, key) => {
    seen.push(key);
    return `n${number}`;
  });
  expect(numbersOf(JSON.parse(changed))).toBe(0);
  expect(seen.length).toBe(numbersOf(JSON.parse(source)));
});

function numbersOf(one: unknown): number {
  // Shorter numbers are nobody's.
  if (typeof one === 'number') return String(one).length < 6 ? 0 : 1;
  return typeof one === 'object' && one !== null ? Object.values(one).reduce<number>((sum, inner) => sum + numbersOf(inner), 0) : 0;
}

const rich = fc.record(
  {
    type: fc.constantFrom('image', 'audio', 'resource', 'resource_link', 'text', 'x'),
    data: fc.oneof(fc.base64String(), text),
    mimeType: fc.oneof(fc.constantFrom('image/png', 'audio/wav', 'x/y', ''), text),
    uri: text,
    name: text,
    resource: fc.oneof(fc.record({ uri: text, text, blob: fc.base64String(), mimeType: text }, { requiredKeys: [] }), value),
    annotations: value,
  },
  { requiredKeys: ['type'] },
);
const withBlocks = fc.oneof(
  rich,
  fc.array(fc.oneof(rich, value), { maxLength: 4 }),
  fc.dictionary(text, fc.oneof(rich, value), { maxKeys: 3 }),
);

property('content blocks are taken out of any result, and what is left is JSON', 250, withBlocks, (result) => {
  const split = splitRichContent(JSON.parse(JSON.stringify(result)), 1);
  expect(typeof JSON.stringify(split)).toBe('string');
});

property(
  'text for people holds no control characters and no lone surrogates',
  250,
  fc.string({ unit: fc.oneof(unit, fc.constantFrom('\u001b', '\u202e', '\u200b', '\ufeff', '\u009b', '\r')) }),
  (one) => {
    const shown = harmlessText(one);
    expect(shown.isWellFormed()).toBe(true);
    // oxlint-disable-next-line no-control-regex -- these must not be there
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
  },
);
