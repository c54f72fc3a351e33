import type { ExecutionSummary } from '../execution/execution-store.ts';
import { clipText, harmlessLine } from '../result/harmless-text.ts';
import { toSeconds } from './execution-story.ts';
import { countOf } from './quantities.ts';
import { shortIds } from './short-ids.ts';
import { drawTable } from './table.ts';

const CELL_CHARS = 48;
const HEAD = ['ID', 'PRINCIPAL', 'STATUS', 'CREATED', 'ENDED', 'CALLS', 'FUEL', 'ASLEEP', 'BYTES'];

/** `ampoule executions list` as a person reads it. @param hasMore whether older ones are not in it @param isFiltered whether not all were asked for */
export function executionsTable(found: readonly ExecutionSummary[], hasMore: boolean, isFiltered: boolean): string {
  if (found.length === 0) return isFiltered ? 'No execution matches.\n' : 'No executions.\n';
  const short = shortIds(found.map(({ id }) => id));
  const rows = found.map(({ id, principal, status, code, createdAt, endedAt, toolCalls, fuel, hibernations, imageBytes }) => [
    harmlessLine(short(id)),
    harmlessLine(clipText(principal, CELL_CHARS)),
    status === 'failed' ? `failed ${harmlessLine(code ?? '')}`.trimEnd() : status,
    toSeconds(createdAt),
    endedAt === undefined ? '-' : toSeconds(endedAt),
    ...[toolCalls, fuel, hibernations, imageBytes].map(countOf),
  ]);
  const count = `${countOf(found.length)} ${found.length === 1 ? 'execution' : 'executions'}`;
  return `${drawTable([HEAD, ...rows])}\n${count}${hasMore ? '; there are older ones: --limit shows more' : ''}.\n`;
}

/** One of them with `--json`. Times are ISO 8601. */
export function shownSummary({ createdAt, endedAt, ...rest }: ExecutionSummary): object {
  const ended = endedAt === undefined ? {} : { ended: new Date(endedAt).toISOString() };
  return { ...rest, created: new Date(createdAt).toISOString(), ...ended };
}
