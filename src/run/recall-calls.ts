import type { StoredCall } from '../execution/execution-store.ts';
import type { Run } from './run-parts.ts';
import type { Catalog, CatalogTool } from '../upstream/catalog.ts';

/** What is to know of the past of a run. */
export interface Recalling {
  readonly run: Pick<Run, 'policies' | 'results' | 'types'>;
  readonly catalog: Catalog;
}

/**
 * Has a run's policies see the calls and answers from before a restart, in the order in which they came: what was spent stays spent, and what was seen
 * stays seen. A call that nothing was sent for yet is not among them: it is made anew.
 */
export async function recallCalls({ run, catalog }: Recalling, calls: readonly StoredCall[]): Promise<void> {
  const made = calls
    .filter(({ stage }) => stage !== 'asked')
    .map((call) => ({ call, tool: toolOf(catalog, call), given: argumentsOf(call) }));
  const moments = made.flatMap((one) => [
    { at: one.call.at, work: async () => run.policies.recallCall(one.call.number, one.call.server, one.tool, one.given) },
    { at: one.call.answeredAt ?? Infinity, work: async () => recallAnswer(run, one) },
  ]);
  for (const { work } of moments.toSorted((a, b) => (a.at === b.at ? 0 : a.at - b.at))) await work();
}

async function recallAnswer(
  { policies, results, types }: Recalling['run'],
  { call, tool, given }: { call: StoredCall; tool: CatalogTool; given: Record<string, unknown> },
): Promise<void> {
  const { number, server, answer } = call;
  if (answer === undefined) return;
  await policies.recallAnswer(number, server, tool, given, answer);
  results.recall(answer);
  types.observe(server, tool, answer);
}

/** A tool that is not there any more has no schema that would make anything harmless. */
function toolOf({ servers }: Catalog, { server, tool }: StoredCall): CatalogTool {
  const found = servers.find(({ name }) => name === server)?.tools.find(({ name }) => name === tool);
  return found ?? { name: tool, inputSchema: {} };
}

function argumentsOf({ arguments: text }: StoredCall): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
