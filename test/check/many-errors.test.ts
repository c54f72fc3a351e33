import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Checker } from '../../src/check/checker.ts';
import { explain } from '../../src/check/explain.ts';
import { composeChecked } from '../../src/check/program-text.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { CATALOG, checkerPids, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

let checker: Checker;
let wrappers: WrapperSet;
beforeAll(async () => {
  wrappers = await wrappersOf(CATALOG);
  checker = openChecker({ timeoutMs: 20_000 });
  await checker.warm(wrappers);
});
afterAll(() => checker.close());

test('of thousands of errors only so many are put into words as are needed for ten', () => {
  const code = Array.from({ length: 20_000 }, (_, i) => `name${i};`).join('');
  const raw = Array.from({ length: 20_000 }, (_, i) => ({
    pos: i * 10,
    end: i * 10 + 5,
    code: 2304,
    category: 1,
    text: `Cannot find name 'name${i % 50}'.`,
  }));
  let asked = 0;
  const locate = (offset: number) => {
    asked += 1;
    return { line: 1, column: offset + 1, source: '' };
  };
  const found = explain(raw, { text: code, wrappers, libraries: [], locate, textOf: () => undefined });
  expect(found).toHaveLength(10);
  expect(asked).toBeLessThanOrEqual(200);
});

test('errors that say the same are told once, and looking for others has an end', () => {
  const raw = Array.from({ length: 20_000 }, (_, i) => ({ pos: i, end: i + 1, code: 2304, category: 1, text: "Cannot find name 'a'." }));
  let asked = 0;
  const locate = () => ({ line: 1, column: (asked += 1), source: '' });
  expect(explain(raw, { text: '', wrappers, libraries: [], locate, textOf: () => undefined })).toHaveLength(1);
  expect(asked).toBeLessThanOrEqual(200);
});

test('places behind thousands of returns without a value are right, and found at once', () => {
  const source = 'if (input) return;\n'.repeat(12_000);
  const returns = [...source.matchAll(/return/gu)].map(({ index }) => index);
  const checked = composeChecked(source, returns);
  const { text } = checked;
  const from = performance.now();
  for (let line = 0; line < 12_000; line++) {
    const offset = text.indexOf('if', 'export {};'.length + line * 'if (input) throw 0;\n'.length);
    expect(checked.sourceOf(offset)).toBe(line * 'if (input) return;\n'.length);
  }
  expect(performance.now() - from).toBeLessThan(3_000);
});

test.each([
  ['in a string', 'const s: number = "\uD800"; return s', 1, 7],
  ['in a comment', '/* \uDC00 */ const s: number = "a"; return s', 1, 15],
  ['in a template, on an earlier line', 'const t = `\uD800\n\uDFFF`;\nconst s: number = t; return s', 3, 7],
])('half a surrogate pair %s does not hold up the checker, and moves nothing', async (_what, code, line, column) => {
  const before = checkerPids();
  const report = await checker.check({ code, wrappers }, SIGNAL);
  expect(report.diagnostics.map(({ location, tsCode }) => [tsCode, location?.line, location?.column])).toEqual([[2322, line, column]]);
  expect(shown(report)[0]).toContain("not assignable to type 'number'");
  expect(checkerPids()).toEqual(before);
});
