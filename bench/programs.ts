/** Two tool calls at the same time, as most programs of agents make them. */
export const TWO_CALLS =
  'const [a, b] = await Promise.all([ampoule.callTool("s", "one", { n: input }), ampoule.callTool("s", "two", { n: input })]); return { a, b };';

/** A program body as the script that the bundler would make of it. */
export function script(body: string): string {
  return `"use strict";return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
}
