import { expect, test } from 'vitest';
import { findReturns } from '../../src/check/find-returns.ts';

/** The texts that follow the returns which were found; undefined when nothing is sure. */
function found(text: string): string[] | undefined {
  const { offsets, sure } = findReturns(text);
  return sure ? offsets.map((offset) => text.slice(offset + 6, offset + 8).trim()) : undefined;
}

test.each<[string, string[] | undefined]>([
  ['return 1', ['1']],
  ['if (a) return 1; else { return 2 }', ['1', '2']],
  ['for (const a of b) { while (c) { return 1 } }', ['1']],
  ['for await (const a of b) { return 1 }', ['1']],
  ['try { return 1 } catch { return 2 } finally { return 3 }', ['1', '2', '3']],
  ['{ { return 1 } }', ['1']],
  ['function f() { return 1 } return 2', ['2']],
  ['const f = () => { return 1 }; return 2', ['2']],
  ['const o = { if(x) { return 1 }, return: 2 }; o.return; return 3', ['3']],
  ['class A { catch() { return 1 } static { } } return 2', ['2']],
  ['p.catch(() => { return 1 }); p.if (x) ; return 2', ['2']],
  ['function f(): { a: number } { return { a: 1 } } return 2', ['2']],
  ['if (a) { f(() => { return 1 }) }', []],
  ['const s = "return 1"; const t = `return ${() => { return 1 }} return`; // return\n/* return */ return 2', ['2']],
  ['const r = /return [/{] "/.test(a); return 2', ['2']],
  ['const r = (a) / 2; const q = b[0] / c / d; return 2', ['2']],
  ['if (a) /{/.test(a); return 2', ['2']],
  ['if (a) { } /{/.test(a); return 2', ['2']],
  ['const a = {} / 2; return 2', undefined],
  ['const a = x! / 2; return 2', undefined],
  ['switch (a) { case 1: return 1; case 2: { return 2 } }', ['1']],
  ['returned; $return; returnX', []],
])('the returns outside of functions in %j', (text, expected) => {
  expect(found(text)).toEqual(expected);
});

test('a text that is made to be slow is read in linear time', () => {
  const start = performance.now();
  for (const part of ['{', '`${', '/', '(', '"', '/*', 'return ', '\\', '[/', '}']) findReturns(`${part.repeat(200_000)} return`);
  expect(performance.now() - start).toBeLessThan(3000);
});
