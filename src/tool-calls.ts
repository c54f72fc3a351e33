import type { ToolAnswer, ToolCall } from './execute/run.ts';
import type { Limits } from './limits.ts';
import { parseBoundedJson } from './result/bounded-json.ts';
import { toSandboxError } from './errors.ts';
import type { ValidateArguments } from './upstream/arguments.ts';
import { failedAnswer } from './upstream/call.ts';
import type { CatalogServer } from './upstream/catalog.ts';
import { unknownServer } from './upstream/unknown.ts';
import type { Upstreams } from './upstream/upstreams.ts';

export interface ToolCallStages {
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  readonly limits: Limits;
}

/**
 * Answers a run's tool calls. Everything is decided here, in the gateway, before anything is sent: whether the run may call
 * that server, whether the tool exists and is allowed, whether the arguments match its schema.
 *
 * @param servers the only servers that this run may call; all when absent.
 */
export function toolCalls(
  stages: ToolCallStages,
  servers: readonly string[] | undefined,
): (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer> {
  return async (call, signal) => {
    if (servers && !servers.includes(call.server)) {
      return failedAnswer(
        'ERR_CALL_DENIED',
        `This run may not call the server "${call.server}".`,
        `Its limits allow: ${servers.join(', ') || 'no server'}.`,
      );
    }
    const all = stages.upstreams.catalog().servers;
    const server = all.find(({ name }) => name === call.server);
    if (!server) {
      return unknownServer(
        call.server,
        all.map(({ name }) => name),
      );
    }
    return callTool(stages, server, call, signal);
  };
}

async function callTool(stages: ToolCallStages, server: CatalogServer, call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
  const tool = server.tools.find(({ name }) => name === call.tool);
  const args = parseArguments(call.arguments, stages.limits);
  if (!args.ok) return args;
  // A tool that is not in the catalog is unknown or denied, or its server was never ready: the upstream's own answer says which.
  if (tool) {
    const checked = stages.validateArguments(tool, args.value);
    if (!checked.ok) return failedAnswer('ERR_CALL_ARGUMENTS', checked.message, checked.hint);
  }
  return stages.upstreams.call({ server: call.server, tool: call.tool, arguments: args.value }, signal);
}

type Arguments = { readonly ok: true; readonly value: Record<string, unknown> } | Extract<ToolAnswer, { ok: false }>;

function parseArguments(text: string, limits: Limits): Arguments {
  try {
    const bounds = { maxBytes: limits.maxToolArgumentBytes, maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
    const value = parseBoundedJson(text, bounds);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ok: true, value: value as Record<string, unknown> };
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: 'The arguments of a tool call must be one object.' } };
  } catch (error) {
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: toSandboxError(error).message } };
  }
}
