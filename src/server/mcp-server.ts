import { McpServer } from '@modelcontextprotocol/server';
import type { RegisteredTool } from '@modelcontextprotocol/server';
import { registerExecuteCode } from './execute-code.ts';
import type { ExecuteCodeDeps } from './execute-code.ts';
import type { ServerOptions } from './server-options.ts';

/** Clients may keep the list of tools this long before they ask again. */
const LIST_TTL_MS = 60_000;
/**
 * The SDK's own bound on arguments is this many times ours: ours answers with a code, the SDK's is there in case ours is
 * ever by-passed.
 */
const BACKSTOP = 4;

const INSTRUCTIONS =
  'Call execute_code to run TypeScript that uses the tools of all connected MCP servers as typed functions. Its description explains how.';

export interface McpServerDeps extends ExecuteCodeDeps, Pick<ServerOptions, 'serverInfo'> {
  /** Whether this connection lives long enough to hear that the tool's description changed. */
  readonly listChanged: boolean;
}

/** A new MCP server with its one tool: one for each HTTP request, one for each stdio connection. */
export function createMcpServer(deps: McpServerDeps): { server: McpServer; tool: RegisteredTool } {
  const server = new McpServer(deps.serverInfo, {
    capabilities: { tools: { listChanged: deps.listChanged } },
    instructions: INSTRUCTIONS,
    maxToolInputElements: deps.limits.maxJsonNodes * BACKSTOP,
    cacheHints: { 'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'private' } },
  });
  const tool = registerExecuteCode(server, deps);
  return { server, tool };
}
