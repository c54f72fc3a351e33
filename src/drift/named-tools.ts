/** One upstream tool. */
export interface ToolName {
  readonly server: string;
  readonly tool: string;
}

const STRING = String.raw`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'`;
/** How wrappers call their tools, and programs that call one without its wrapper. */
const CALL = new RegExp(String.raw`\bcallTool\d*\(\s*(${STRING})\s*,\s*(${STRING})`, 'gu');

/**
 * The tools that a bundled program names: those of the wrappers that it imports, and of calls without a wrapper. Those whose names
 * are put together at run time are not among them.
 */
export function namedTools(script: string, maximum: number): ToolName[] {
  const found = new Map<string, ToolName>();
  for (const [, server = '', tool = ''] of script.matchAll(CALL)) {
    const names = { server: textOf(server), tool: textOf(tool) };
    if (names.server === undefined || names.tool === undefined) continue;
    found.set(`${names.server}\n${names.tool}`, { server: names.server, tool: names.tool });
    if (found.size >= maximum) break;
  }
  return [...found.values()];
}

/** The text of a string literal; undefined for one with escapes that JSON does not know. */
function textOf(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  try {
    return JSON.parse(literal.startsWith('"') ? literal : `"${body.replaceAll(/\\'|"/gu, (part) => (part === '"' ? '\\"' : "'"))}"`);
  } catch {
    return undefined;
  }
}
