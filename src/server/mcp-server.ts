import { McpServer } from '@modelcontextprotocol/server';
import type { RegisteredTool } from '@modelcontextprotocol/server';
import type { Principal } from '../access/principal.ts';
import { registerExecuteCode } from './execute-code.ts';
import type { ExecuteCodeDeps } from './execution-calls.ts';
import { registerExecutionTools } from './execution-tools.ts';
import { registerGuidePrompt } from './guide-prompt.ts';
import { registerGuideSkill } from './guide-skill.ts';
import { takeLogLevel } from './log-levels.ts';
import { portOf } from './principal-port.ts';
import { pageResourceList } from './resource-list.ts';
import { saveSkillTool } from './save-skill.ts';
import { registerResults } from './result-resources.ts';
import { registerSearchTools } from './search-tools.ts';
import type { ServerOptions } from './server-options.ts';
import { registerSkillResources, skillListing } from './skill-resources.ts';
import { offerTasks } from './tasks/offer-tasks.ts';
import { registerWrapperResources, wrapperListing } from './wrapper-resources.ts';

/** Clients may keep lists this long before they ask again. */
const LIST_CACHE = { ttlMs: 60_000, cacheScope: 'private' } as const;
/**
 * The SDK's own bound on arguments is this many times ours: ours answers with a code, the SDK's is there in case ours is
 * ever by-passed.
 */
const BACKSTOP = 4;

const INSTRUCTIONS = 'Run TypeScript that uses the tools of all connected MCP servers: execute_code. Find functions: search_tools.';

export interface McpServerDeps extends ExecuteCodeDeps, Pick<ServerOptions, 'serverInfo'> {
  /** Whether this connection lives long enough to hear that tools and wrappers changed. */
  readonly listChanged: boolean;
  /** Whose requests it answers. */
  readonly principal: Principal;
}

/** A new MCP server with all that it offers: one for each HTTP request, one for each stdio connection. */
export function createMcpServer(options: McpServerDeps): { server: McpServer; tool: RegisteredTool } {
  const deps = { ...options, port: portOf(options.port, options.principal) };
  const server = new McpServer(deps.serverInfo, {
    capabilities: { resources: { listChanged: deps.listChanged }, prompts: { listChanged: false }, logging: {} },
    instructions: INSTRUCTIONS,
    // A state that is not of a run that waits is an error of the protocol.
    requestState: { verify: (state) => deps.parked.demand(deps.principal.id, state) },
    maxToolInputElements: deps.limits.maxJsonNodes * BACKSTOP,
    cacheHints: {
      'tools/list': LIST_CACHE,
      'resources/list': LIST_CACHE,
      'resources/templates/list': LIST_CACHE,
      'prompts/list': LIST_CACHE,
    },
  });
  // Not above: then the SDK would take its handlers of tools before `saveSkillTool` can have a word with them.
  server.server.registerCapabilities({ tools: { listChanged: deps.listChanged } });
  registerGuidePrompt(server, deps.port);
  const listGuide = registerGuideSkill(server, deps.port);
  registerWrapperResources(server, deps.port);
  registerSkillResources(server, deps.port);
  registerResults(server, deps.port);
  takeLogLevel(server, deps.levels, deps.principal);
  pageResourceList(server, [listGuide, () => skillListing(deps.port), () => wrapperListing(deps.port.description().wrappers)]);
  const markTasks = offerTasks({ ...deps, server });
  const offerSkills = saveSkillTool(server, deps);
  const tool = registerExecuteCode(server, deps);
  markTasks(tool);
  registerSearchTools(server, deps);
  registerExecutionTools(server, deps);
  offerSkills();
  return { server, tool };
}
