import type { Config } from '../config/schema.ts';
import type { OpenSandbox } from '../open-sandbox.ts';

/** What an operator wants to see at the start: every upstream, its state and tools, and where the wrappers are. */
export function upstreamTable({ upstreams, wrappers }: Pick<OpenSandbox, 'upstreams' | 'wrappers'>, config: Config): string {
  const rows = upstreams.catalog().servers.map(({ name, state, tools, reason }) => [name, state, `${tools.length} tools`, reason ?? '']);
  if (rows.length === 0) return 'No upstream servers are configured (mcpServers): programs can compute, but have no tools.\n';
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  return ['Upstream servers:', ...lines, `Wrappers: ${wrappers.current().tools.length} functions in ${config.generatedDir}`, ''].join('\n');
}
