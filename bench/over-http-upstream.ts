import type { Catalog, CatalogTool } from '../src/upstream/catalog.ts';
import type { Upstreams } from '../src/upstream/upstreams.ts';

/** Name of the server whose tools the programs call. */
export const SERVER = 'tracker';

const ISSUE = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    title: { type: 'string' },
    user: { type: 'object', properties: { login: { type: 'string' } }, required: ['login'] },
  },
  required: ['id', 'title', 'user'],
};

/** Two tools as agents meet them, and as many others as a catalog has. */
export function benchTools(others: number): CatalogTool[] {
  const inputSchema = {
    type: 'object',
    properties: { repo: { type: 'string' }, state: { enum: ['open', 'closed'] }, limit: { type: 'integer' } },
    required: ['repo'],
  };
  const outputSchema = { type: 'object', properties: { items: { type: 'array', items: ISSUE } }, required: ['items'] };
  const names = ['list_issues', 'search_issues', ...Array.from({ length: others }, (_, index) => `other_${index}`)];
  return names.map((name) => ({ name, description: 'Lists issues, filtered and in pages.', inputSchema, outputSchema }));
}

/** What both tools answer: about one KB. */
export const ANSWER = {
  items: Array.from({ length: 12 }, (_, id) => ({ id, title: `Issue number ${id}`, user: { login: id % 2 === 0 ? 'ada' : 'bob' } })),
};

/** An upstream server whose tools are functions of this process, as an embedding application would bring its own. */
export function inProcessUpstreams(others = 18): Upstreams {
  const tools = benchTools(others);
  const catalog: Catalog = { servers: [{ name: SERVER, state: 'ready', tools }] };
  const value = JSON.stringify(ANSWER);
  return {
    catalog: () => catalog,
    onChange: () => () => undefined,
    settled: () => Promise.resolve(),
    call: () => Promise.resolve({ ok: true, value }),
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Thirty lines with two tool calls, as agents write them; each number is another program. */
export function programOf(number: number): string {
  return `import * as tracker from "servers/${SERVER}";
import { log } from "ampoule";

interface Row {
  id: number;
  title: string;
}

const rows: Row[] = [];
const first = await tracker.listIssues({ repo: "name-${number}", limit: ${number} });
for (const item of first.items) {
  if (item.user.login.startsWith("a")) {
    rows.push({ id: item.id, title: item.title.trim() });
  }
}

const second = await tracker.searchIssues({ repo: String(input.repo), state: "open" });
const counts = new Map<string, number>();
for (const item of second.items) {
  counts.set(item.user.login, (counts.get(item.user.login) ?? 0) + 1);
}

const top = [...counts]
  .sort((a, b) => b[1] - a[1])
  .slice(0, 5)
  .map(([login, count]) => ({ login, count }));
const total = rows.reduce((sum, row) => sum + row.id, 0);
log("info", \`program ${number} has \${rows.length} rows\`);

return { total, top, count: rows.length, number: ${number} };
`;
}
