import { describeExample } from './describe-example.ts';
import { describeServers } from './describe-servers.ts';
import type { WrapperTool } from '../wrappers/wrapper-set.ts';
import type { DescriptionSource } from './sandbox-port.ts';

const known = new WeakMap<DescriptionSource['wrappers'], { source: DescriptionSource; text: string }>();

/**
 * The description of `execute_code`: all that an agent needs to write code for it. The same catalog, wrappers and limits
 * give the same text, byte for byte.
 */
export function describeTool(source: DescriptionSource): string {
  const last = known.get(source.wrappers);
  if (last && last.source.catalog === source.catalog && last.source.limits === source.limits) return last.text;
  const text = render(source);
  known.set(source.wrappers, { source: { ...source }, text });
  return text;
}

function render({ wrappers, catalog, limits, libraries = [], mounts = [] }: DescriptionSource): string {
  const tools = wrappers.tools.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return [
    'Runs TypeScript in a sealed sandbox where the tools of the connected MCP servers are typed async functions. One run can make many tool calls, filter and combine their results, and return only what matters, so intermediate data never passes through your context.',
    WRITING,
    MODULE,
    ABSENT,
    ...installationLines(libraries, mounts),
    limitsLine(limits),
    ANSWER,
    `Example:\n${describeExample(tools, catalog)}`,
    describeServers(tools, catalog),
  ].join('\n\n');
}

const WRITING = `Code is a TypeScript module with top-level await. Its result is what it \`return\`s at top level (or \`export default\`s; a function is called with \`input\`). \`input\` is the value you pass as "input".
- Import a server's functions, for instance \`import * as github from "servers/github"\`; the servers are listed below. Each takes one object of arguments. Independent calls run at the same time with Promise.all.
- A tool that fails throws a ToolError with \`code\` and \`message\`; catch it to go on.
- The code is checked before it runs; nothing happens while it has errors.`;

const MODULE = `\`import { ... } from "ampoule"\` has: callTool(server, tool, args), readFile(path, { as?: "text" | "bytes" }), getState<T>() (a live object; changes are kept for the session when the run completes), setState(key, value), log(level, message, data?), sleep(ms), ToolError. console.* writes to the logs.`;

const ABSENT =
  "There is no fetch, process, require, fs or network, and no package besides those the operator allows: use the servers' functions and readFile. Clock and randomness work.";

const ANSWER =
  'You get back status ("completed" or "failed"), result, logs, calls, usage, and session. Pass the session handle as "session" next time to keep state. On failure: error.code, message, hint, and line and column in your code. MCP images, audio and resources that you return (alone, in an array, or as { content: [...] }) arrive as content.';

function sortKey({ folder, functionName }: WrapperTool): string {
  return `${folder}/${functionName}`;
}

/** What this operator's programs have beside the servers. */
function installationLines(libraries: readonly string[], mounts: readonly string[]): string[] {
  const lines: string[] = [];
  if (libraries.length > 0) lines.push(`Packages that can be imported: ${libraries.join(', ')}.`);
  if (mounts.length > 0) lines.push(`Files: ${mounts.map((name) => `readFile("${name}/<file>")`).join(', ')}.`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function limitsLine(limits: DescriptionSource['limits']): string {
  const { timeoutMs, waitMs, memoryMb, maxToolCalls, maxConcurrentToolCalls, maxResultBytes, maxLogBytes } = limits;
  return `Limits of one run: ${timeoutMs / 1_000} s computing, ${waitMs / 1_000} s waiting, ${memoryMb} MB memory, ${maxToolCalls} tool calls (${maxConcurrentToolCalls} at once), result ${bytes(maxResultBytes)}, logs ${bytes(maxLogBytes)}. "limits" can lower them.`;
}

function bytes(count: number): string {
  return count >= 1_048_576 ? `${Math.round(count / 104_857.6) / 10} MB` : `${Math.round(count / 102.4) / 10} KB`;
}
