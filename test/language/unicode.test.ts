import { expect, inject, test } from 'vitest';
import { sampled } from '../escape/sampled.ts';
import { openOurs } from './differential.ts';
import { BINARY, CATEGORIES, OF_STRINGS, SCRIPTS } from './unicode-properties.ts';

const ours = openOurs();

/**
 * Every 7th character, the first ones in smaller steps, and the ends of what is rare. Those that Node does not know are left out: another
 * table may be of another version of Unicode.
 */
function sampleText(): string {
  const codes = [...Array(0x600).keys()];
  for (let code = 0x600; code <= 0x10ffff; code += code < 0x33500 ? 7 : 0x101) codes.push(code);
  for (let code = 0xe0000; code < 0xe0200; code++) codes.push(code);
  return codes
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code))
    .join('')
    .replaceAll(/\p{Cn}/gu, '');
}

const SAMPLE = `const sample = ${JSON.stringify(sampleText())};
const hash = (text) => {
  let value = 0;
  for (let at = 0; at < text.length; at++) value = (value * 31 + text.charCodeAt(at)) | 0;
  return text.length + ":" + value;
};
`;

/** A program that gives for each pattern what of the sample it leaves, as one line of text. */
function program(patterns: readonly string[]): string {
  const lines = patterns.map((pattern) => `  hash(sample.replaceAll(${pattern}, "")),`);
  return `${SAMPLE}return [\n${lines.join('\n')}\n].join("\\n");`;
}

/** The bundler's tables, which StarlingMonkey's patterns are written with, know capitals that newer versions of Unicode gave to old letters. */
const NEWER = inject('engineKind') === 'starlingmonkey' ? /Changes_When_(?:Casemapped|Titlecased|Uppercased)/u : /(?!)/u;

/** The patterns that leave other characters here than on Node. On the other engine every third. */
async function differing(patterns: readonly string[]): Promise<string[]> {
  const chosen = sampled(patterns);
  const code = program(chosen);
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-call -- the same program on plain Node
  const node = String(new Function(code)()).split('\n');
  const found = (await ours.run(code)).split('\n');
  return chosen.filter((pattern, at) => found[at] !== node[at] && !NEWER.test(pattern));
}

test('general categories are those of Node', async () => {
  expect(await differing(CATEGORIES.flatMap((name) => [`/\\P{${name}}/gu`, `/\\p{${name}}+/gu`]))).toEqual([]);
});

test('scripts are those of Node', async () => {
  expect(await differing(SCRIPTS.map((name) => `/\\P{Script=${name}}/gu`))).toEqual([]);
});

test('extensions of scripts are those of Node', async () => {
  expect(await differing(SCRIPTS.map((name) => `/\\P{scx=${name}}/gu`))).toEqual([]);
});

test('binary properties are those of Node', async () => {
  expect(await differing(BINARY.map((name) => `/\\P{${name}}/gu`))).toEqual([]);
});

test('properties, sets and texts of the flag v are those of Node', async () => {
  const patterns = [
    ...OF_STRINGS.map((name) => `/\\p{${name}}/gv`),
    ...CATEGORIES.map((name) => `/[\\p{${name}}--\\p{ASCII}]/gv`),
    ...BINARY.map((name) => `/[^\\p{${name}}&&\\p{L}]/gv`),
  ];
  expect(await differing(patterns)).toEqual([]);
});

test('a literal with a property that there is not fails before the run, and text made into a pattern throws', async () => {
  await expect(ours.run('return /\\p{Klingon}/u.test("x");')).rejects.toThrow('ERR_COMPONENT_LOAD');
  const made = 'try { return String(new RegExp("\\\\p{L}+", "u").test("é")); } catch (thrown) { return thrown.name; }';
  expect(await ours.run(made)).toBe(inject('engineKind') === 'quickjs' ? 'true' : 'SyntaxError');
});
