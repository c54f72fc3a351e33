/** Five programs that use an engine in different ways; each takes some tens of milliseconds. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  recursion: 'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(22);',
  loop: 'let s = 0; for (let i = 0; i < 1e6; i++) s = (s + i * 3) | 0; return s;',
  sort: 'const a = []; let x = 1; for (let i = 0; i < 2e4; i++) { x = (x * 1103515245 + 12345) & 0x7fffffff; a.push({ x }); } a.sort((p, q) => p.x - q.x); return a[9].x;',
  json: 'const o = []; for (let i = 0; i < 4000; i++) o.push({ id: i, name: "n" + i, tags: ["a", "b"] }); const t = JSON.stringify(o); let n = 0; for (let i = 0; i < 5; i++) n += JSON.parse(t).length; return n;',
  regex: 'const t = "foo bar 123 baz ".repeat(3000); let n = 0; for (const m of t.matchAll(/(\\w+) (\\d+)/g)) n += m[2].length; return n;',
};

/** Two tool calls at the same time, as most programs of agents make them. */
export const TWO_CALLS =
  'const [a, b] = await Promise.all([ampoule.callTool("s", "one", { n: input }), ampoule.callTool("s", "two", { n: input })]); return { a, b };';

/** A program body as the script that the bundler would make of it. */
export function script(body: string): string {
  return `"use strict";return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
}
