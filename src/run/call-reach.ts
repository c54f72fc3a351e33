import { allows } from '../access/grant.ts';
import type { ToolAnswer, ToolCall } from '../execute/run.ts';
import { failedAnswer } from '../upstream/call.ts';
import type { CallingRun } from './calling-run.ts';

/** Of the servers that a call allows itself, so many are told, and so much of each. */
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 64;

/** The answer to a call that the principal or the run itself may not make, whatever there is; undefined for any other. */
export function outOfReach({ grant, servers }: Pick<CallingRun, 'grant' | 'servers'>, call: ToolCall): ToolAnswer | undefined {
  if (grant && !allows(grant, call.server, call.tool)) return notGranted(call);
  return servers && !servers.includes(call.server) ? notListed(call, servers) : undefined;
}

/** Whether there is such a tool is not said either. */
function notGranted({ server, tool }: ToolCall): ToolAnswer {
  const name = `${server.slice(0, MAX_NAME_CHARS)}.${tool.slice(0, MAX_NAME_CHARS)}`;
  return failedAnswer(
    'ERR_CALL_DENIED',
    `The key or token of this request does not allow "${name}".`,
    'Do it with other tools, or tell the user that a key or token with more rights is needed.',
  );
}

function notListed({ server }: ToolCall, servers: readonly string[]): ToolAnswer {
  const message = `This run may not call the server "${server}".`;
  return failedAnswer('ERR_CALL_DENIED', message, `Its limits allow: ${serverNames(servers)}.`);
}

function serverNames(servers: readonly string[]): string {
  const shown = servers.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_CHARS));
  const more = servers.length > MAX_NAMES ? ` and ${servers.length - MAX_NAMES} more` : '';
  return servers.length === 0 ? 'no server' : `${shown.join(', ')}${more}`;
}
