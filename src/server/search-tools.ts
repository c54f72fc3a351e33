import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { type SandboxError, toSandboxError } from '../errors.ts';
import type { ExecuteCodeDeps } from './execution-calls.ts';
import { parseSearchRequest, searchInputSchema } from './search-schema.ts';
import { renderSearch } from './search-text.ts';
import { advertiseUnchecked } from './tool-schema.ts';

export const SEARCH_TOOL_NAME = 'search_tools';

const INPUT = advertiseUnchecked(searchInputSchema);

const CONFIG = {
  title: 'Search tools',
  description: 'Finds functions and saved skills for execute_code, with their import lines.',
  inputSchema: INPUT,
  annotations: { readOnlyHint: true, openWorldHint: false },
};

export type SearchToolsDeps = Pick<ExecuteCodeDeps, 'port' | 'log' | 'closing'>;

/**
 * Registers the tool that finds functions. Its answer is text and nothing else: it is for the model alone, and a structured copy
 * would be read twice. Whatever goes wrong is a tool result with a code.
 */
export function registerSearchTools(server: McpServer, deps: SearchToolsDeps): void {
  server.registerTool(SEARCH_TOOL_NAME, CONFIG, (args) => callSearchTools(args, deps));
}

async function callSearchTools(args: unknown, { port, log, closing }: SearchToolsDeps): Promise<CallToolResult> {
  try {
    closing.throwIfAborted();
    return { content: [{ type: 'text', text: renderSearch(await port.search(parseSearchRequest(args))) }] };
  } catch (thrown) {
    const error = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, 'search_tools failed unexpectedly');
    return { content: [{ type: 'text', text: refusal(error) }], isError: true };
  }
}

function refusal({ code, message, details }: SandboxError): string {
  if (code === 'ERR_INTERNAL') return `${code}: the search failed inside the sandbox.`;
  const [, ...others] = details.diagnostics ?? [];
  return [`${code}: ${message}`, ...others.map((finding) => finding.message), ...(details.hint === undefined ? [] : [details.hint])].join(
    '\n',
  );
}
