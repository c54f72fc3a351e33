import { fileURLToPath } from 'node:url';
import { createBundler } from '../../src/bundle/bundler.ts';
import { script, TWO_CALLS } from '../programs.ts';
import type { Program } from './contender.ts';

const ROWS = 12_000;
const NO_WRAPPERS = { hash: '', files: new Map<string, string>(), tools: [] };

/** Plain work, without tools. */
const COMPUTE = {
  sort: [
    'sorts 20,000 objects',
    'const a = []; let x = 1; for (let i = 0; i < 2e4; i++) { x = (x * 1103515245 + 12345) & 0x7fffffff; a.push({ x }); } a.sort((p, q) => p.x - q.x); return a[9].x;',
  ],
  regex: [
    'finds 3,000 matches in 48 KB of text',
    'const t = "foo bar 123 baz ".repeat(3000); let n = 0; for (const m of t.matchAll(/(\\w+) (\\d+)/g)) n += m[2].length; return n;',
  ],
  strings: [
    'builds and joins 20,000 short strings',
    'const parts = []; for (let i = 0; i < 2e4; i++) parts.push(`item ${i}`.toUpperCase().slice(0, 8)); let s = ""; for (const p of parts) s += p + ","; return s.length + s.split(",").join(";").length;',
  ],
  recursion: ['Fibonacci of 23, by recursion', 'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(23);'],
} as const;

const LIBRARY = `import { z } from "zod";
const user = z.object({ id: z.number().int(), name: z.string().min(1), tags: z.array(z.string()).default([]) });
const users = z.array(user).parse(Array.from({ length: 50 }, (_, id) => ({ id, name: "user " + id })));
return users.filter(({ id }) => id % 7 === 0).length;
`;

/** The programs that everybody runs. */
export async function contenderPrograms(resolveFrom = fileURLToPath(new URL('../..', import.meta.url))): Promise<Program[]> {
  return [
    program('tiny', 'adds two numbers', 'return input + 1;'),
    program('two tool calls', 'calls two tools at once', TWO_CALLS),
    program(
      'JSON, 2 MB filtered',
      'gets 2 MB of JSON from a tool and keeps one row in a hundred',
      'const { rows } = await ampoule.callTool("s", "list", {}); return rows.filter((row) => row.score % 100 === 7).map((row) => row.id).length;',
      rowsOfJson(),
    ),
    ...Object.entries(COMPUTE).map(([name, [description, body]]) => program(name, description, body)),
    { ...program('library', 'imports zod and validates 50 objects', ''), script: await bundleWith(['zod'], LIBRARY, resolveFrom) },
  ];
}

function program(name: string, description: string, body: string, answer = '{"items":[1,2,3]}'): Program {
  return { name, description, script: script(body), input: '1', answer };
}

/** About 2 MB of rows as a tool answers with. */
function rowsOfJson(): string {
  const text = 'a title of some length, with a few words in it and a number at the end';
  const rows = Array.from({ length: ROWS }, (_, id) => ({
    id,
    title: `${text} ${id}`,
    score: (id * 7919) % 1000,
    user: { login: `user-${id % 97}` },
    labels: ['bug', 'help wanted'],
  }));
  return JSON.stringify({ rows });
}

/** A program as the product bundles it with the libraries that it imports. */
export async function bundleWith(libraries: readonly string[], code: string, resolveFrom: string): Promise<string> {
  const limits = { maxSourceBytes: 1e6, maxBundleBytes: 1e7 };
  await using bundler = createBundler({ libraries: [...libraries], resolveFrom, ...limits });
  return (await bundler.bundle({ code, wrappers: NO_WRAPPERS }, new AbortController().signal)).script;
}
