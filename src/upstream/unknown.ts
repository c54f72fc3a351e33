import { nearestName } from '../nearest-name.ts';
import type { CallAnswer } from './call.ts';
import { failedAnswer } from './call.ts';
import type { CatalogServer } from './catalog.ts';

const MAX_LISTED = 20;
const MAX_NAME_LENGTH = 100;

/** The answer to a call of a tool that the server does not have. */
export function unknownTool(server: CatalogServer, tool: string): CallAnswer {
  const names = server.tools.map((one) => one.name);
  return failedAnswer(
    'ERR_CALL_UNKNOWN_TOOL',
    `the server "${server.name}" has no tool "${tool.slice(0, MAX_NAME_LENGTH)}"`,
    hintFor(tool, names),
  );
}

/** The answer to a call of a server that is not configured. */
export function unknownServer(server: string, known: readonly string[]): CallAnswer {
  return failedAnswer('ERR_CALL_UNKNOWN_SERVER', `there is no server "${server.slice(0, MAX_NAME_LENGTH)}"`, hintFor(server, known));
}

function hintFor(given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (known.length === 0) return 'There are none.';
  const more = known.length > MAX_LISTED ? ` and ${known.length - MAX_LISTED} more` : '';
  return `There are: ${known.slice(0, MAX_LISTED).join(', ')}${more}.`;
}
