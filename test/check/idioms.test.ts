import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import type { Checker } from '../../src/check/checker.ts';
import { CATALOG, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

/** Programs in the ways that models write them. A check that refuses one of these costs its user a turn for nothing. */

const PROGRAMS = [
  'await new Promise((resolve) => setTimeout(resolve, 5)); return 1',
  'await new Promise(r => setTimeout(r, 100));',
  'const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)); await sleep(1); return 1',
  'try { JSON.parse("{") } catch (e) { return e.message }',
  'try { JSON.parse("{") } catch (err: any) { return err.message }',
  'try { JSON.parse("{") } catch (error) { console.error("x", error instanceof Error ? error.message : String(error)); throw error }',
  'import * as github from "servers/github"; const r = await github.rawSearch({ query: "x" }) as any; return r.items.map((i: any) => i.name)',
  'import * as github from "servers/github"; const r: any = await github.rawSearch({ query: "x" }); return r.items.filter((i) => i.ok)',
  'import { listIssues } from "servers/github"; const { items } = await listIssues({ repo: "a/b", state: "open" }); return items.map((i) => i.title)',
  'import * as github from "servers/github"; const repos = ["a","b"]; const all = await Promise.all(repos.map((repo) => github.listIssues({ repo }))); return all.flatMap((r) => r.items).reduce((n, i) => n + i.id, 0)',
  'import * as github from "servers/github"; const results = []; for (const repo of ["a"]) { const r = await github.listIssues({ repo }); results.push(...r.items); } return results;',
  'import * as github from "servers/github"; const counts: Record<string, number> = {}; for (const i of (await github.listIssues({ repo: "x" })).items) { counts[i.title] = (counts[i.title] || 0) + 1; } return counts;',
  'import * as github from "servers/github"; const counts = {}; for (const i of (await github.listIssues({ repo: "x" })).items) { counts[i.title] = (counts[i.title] || 0) + 1; } return counts;',
  'const m = new Map(); m.set("a", 1); return Object.fromEntries(m)',
  'const out = []; out.push(1); out.push("x"); return out',
  'let best; for (const x of [1,2]) { if (!best || x > best) best = x; } return best',
  'let best = null; for (const x of [{n:1}]) { if (best === null || x.n > best.n) best = x; } return best',
  'function f(x) { return x * 2 } return f(2)',
  'const f = (x) => x * 2; return f(2)',
  'async function main() { return 1 } return await main()',
  'export default async function main(input) { return input.a }',
  'export default async function (input: { a: number }) { return input.a }',
  'export default async () => { return 1 }',
  'const { a, b = 2 } = input; return a + b',
  'return input.items.map((x) => x.id)',
  'return (input as { n: number }).n',
  'const data = JSON.parse("[]"); return data.map((d) => d.x)',
  'import { readFile } from "ampoule"; const t = await readFile("docs/a.txt"); return t.split("\\n").length',
  'import { callTool } from "ampoule"; const r = await callTool<{ items: string[] }>("github", "search", { query: "x" }); return r.items',
  'const r = await Promise.allSettled([Promise.resolve(1), Promise.reject(new Error("x"))]); return r.map((x) => x.status === "fulfilled" ? x.value : x.reason.message)',
  'const xs = [3,1,2]; return [...xs].sort((a, b) => a - b).at(-1)',
  'const text = "a,b"; const [first, second] = text.split(","); return first.toUpperCase() + second',
  'const s = new Set([1,2]); return [...s]',
  'const d = new Date(); return d.toISOString().slice(0, 10)',
  'return Object.entries({ a: 1 }).map(([k, v]) => `${k}=${v}`).join()',
  'import { getState } from "ampoule"; const state = getState(); state.count = (state.count ?? 0) + 1; return state.count',
  'import { getState, setState } from "ampoule"; setState("x", 1); return getState().x',
  'console.log("a", { b: 1 }, [1]); console.table([{ a: 1 }]); return structuredClone({ a: 1 })',
  'const u = new URL("https://a.b/c?d=1"); return u.searchParams.get("d")',
  'const b = btoa("x"); return atob(b) + new TextDecoder().decode(new TextEncoder().encode("y"))',
  'const c = new AbortController(); setTimeout(() => c.abort(), 1); return c.signal.aborted',
  'const groups = Object.groupBy([1,2,3], (n) => n % 2 ? "odd" : "even"); return groups.odd?.length',
  'type T = { a: number }; interface U extends T { b: string } const u: U = { a: 1, b: "x" }; return u',
  'enum E { A, B } return E.A',
  'const args = { repo: "a", state: "open" as const }; import * as github from "servers/github"; return github.listIssues(args)',
  'import * as github from "servers/github"; const labels: string[] = []; return github.listIssues({ repo: "x", labels })',
  'import * as github from "servers/github"; return github.rawSearch()',
  'import * as github from "servers/github"; return await github.rawSearch({})',
  'const x = await (async () => 5)(); return x',
  'for await (const x of (async function* () { yield 1 })()) console.log(x);',
  'class A { #x = 1; get x() { return this.#x } static y = 2 } return new A().x + A.y',
  'const re = /a(?<n>b)/u.exec("ab"); return re?.groups?.n',
  'const rows = [["a", 1], ["b", 2]]; return rows.map(([name, n]) => ({ name, n }))',
  'const acc = [1,2].reduce((a, x) => { a[x] = true; return a }, {}); return acc',
  'return [1,2,3].map(String).join("")',
  'const num = Number("12"); if (isNaN(num)) throw new Error("bad"); return num.toFixed(2)',
  'return await Promise.race([new Promise((_, reject) => setTimeout(() => reject(new Error("t")), 10)), Promise.resolve(1)])',
];

let checker: Checker;
let wrappers: WrapperSet;
beforeAll(async () => {
  checker = openChecker();
  wrappers = await wrappersOf(CATALOG);
});
afterAll(() => checker.close());

test.each(PROGRAMS)('%s passes', async (code) => {
  expect(shown(await checker.check({ code, wrappers }, SIGNAL))).toEqual([]);
});
