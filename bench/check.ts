import { readFileSync } from 'node:fs';
import { readSource } from '../src/bundle/source-text.ts';
import { type Checker, createChecker } from '../src/check/checker.ts';
import type { Catalog, CatalogTool } from '../src/upstream/catalog.ts';
import { generateWrappers } from '../src/wrappers/generate.ts';
import type { WrapperSet } from '../src/wrappers/wrapper-set.ts';

const WARM = 30;
const TOOLS_PER_SERVER = 50;
const SIGNAL = new AbortController().signal;

/** Warm checks of programs never seen before, in milliseconds. */
export interface CheckMeasure {
  readonly tools: number;
  /** `same`: each program imports what the one before did; `changing`: each imports another server. */
  readonly imports: 'same' | 'changing';
  readonly p50: number;
  readonly p95: number;
}

/** Measures the type check alone, with small and with large catalogs. */
export async function measureCheck(runs = 300): Promise<CheckMeasure[]> {
  const measures: CheckMeasure[] = [];
  for (const tools of [100, 1000]) {
    const wrappers = await generateWrappers(catalogOf(tools), {}, SIGNAL);
    for (const imports of ['same', 'changing'] as const) {
      await using checker = openChecker();
      await checker.warm(wrappers);
      measures.push({ tools, imports, ...(await measure(checker, wrappers, imports, runs)) });
    }
  }
  return measures;
}

async function measure(checker: Checker, wrappers: WrapperSet, imports: string, runs: number): Promise<{ p50: number; p95: number }> {
  const servers = new Set(wrappers.tools.map(({ folder }) => folder)).size;
  const times: number[] = [];
  for (let run = 0; run < runs + WARM; run += 1) {
    const code = programOf(run, imports === 'same' ? 0 : run % servers);
    const start = performance.now();
    const { diagnostics } = await checker.check({ code, wrappers }, SIGNAL);
    if (run >= WARM) times.push(performance.now() - start);
    if (diagnostics.length > 0) throw new Error(`the benchmark's program has errors: ${diagnostics[0]?.message}`);
  }
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(runs / 2)] ?? 0, p95: times[Math.floor(runs * 0.95)] ?? 0 };
}

function openChecker(): Checker {
  const guest = (name: string): string => readFileSync(new URL(`../host-functions/guest/${name}`, import.meta.url), 'utf8');
  return createChecker({
    libraries: [],
    resolveFrom: '/nonexistent',
    globals: guest('globals.d.ts'),
    ampoule: guest('ampoule.d.ts'),
    readSource,
  });
}

/** Thirty lines with two tool calls, as agents write them. */
function programOf(number: number, server: number): string {
  return `import * as server from "servers/server-${server}";
import { log } from "ampoule";

interface Row {
  id: number;
  title: string;
}

const rows: Row[] = [];
const first = await server.tool1({ repo: "name-${number}", limit: ${number} });
for (const item of first.items) {
  if (item.user.login.startsWith("a")) {
    rows.push({ id: item.id, title: item.title.trim() });
  }
}

const second = await server.tool3({ repo: String(input.repo), state: "open", labels: ["bug"] });
const counts = new Map<string, number>();
for (const item of second.items) {
  counts.set(item.title, (counts.get(item.title) ?? 0) + 1);
}

const top = [...counts]
  .sort((a, b) => b[1] - a[1])
  .slice(0, 5)
  .map(([title, count]) => ({ title, count }));
const total = rows.reduce((sum, row) => sum + row.id, 0);
log("info", \`program ${number} has \${rows.length} rows\`);

return { total, top, count: rows.length, number: ${number} };
`;
}

function catalogOf(tools: number): Catalog {
  const servers = Array.from({ length: tools / TOOLS_PER_SERVER }, (_, at) => ({
    name: `server-${at}`,
    state: 'ready' as const,
    tools: Array.from({ length: TOOLS_PER_SERVER }, (_tool, index) => toolOf(index)),
  }));
  return { servers };
}

function toolOf(index: number): CatalogTool {
  const text = { type: 'string' };
  const item = {
    type: 'object',
    properties: {
      id: { type: 'integer' },
      title: text,
      score: { type: 'number' },
      user: { type: 'object', properties: { login: text }, required: ['login'] },
    },
    required: ['id', 'title', 'user'],
  };
  return {
    name: `tool_${index}`,
    description: 'Lists what there is, filtered and in pages.',
    inputSchema: {
      type: 'object',
      properties: {
        repo: { type: 'string', description: 'Owner and name' },
        state: { enum: ['open', 'closed'] },
        labels: { type: 'array', minItems: 1, items: text },
        limit: { type: 'integer' },
      },
      required: ['repo'],
    },
    ...(index % 2 === 1
      ? { outputSchema: { type: 'object', properties: { items: { type: 'array', items: item } }, required: ['items'] } }
      : {}),
  };
}
