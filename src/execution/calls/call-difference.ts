import type { ToolCall } from '../../execute/run.ts';

/** How a call that comes again differs from what it was, without a word of its arguments; undefined when it does not. */
export function callDifference(was: ToolCall, is: ToolCall): string | undefined {
  const again = `Call ${is.number} of the run was "${was.server}.${was.tool}"`;
  if (was.server !== is.server || was.tool !== is.tool) return `${again} and came again as "${is.server}.${is.tool}".`;
  if (was.arguments === is.arguments) return undefined;
  return `${again} and came again with other arguments, from character ${firstDifference(was.arguments, is.arguments) + 1} of their JSON text on.`;
}

/** That of a call that did not come again. */
export function missingCall({ number, server, tool }: ToolCall): string {
  return `Call ${number} of the run was "${server}.${tool}" and did not come again.`;
}

function firstDifference(one: string, other: string): number {
  for (let at = 0; ; at++) if (one.charCodeAt(at) !== other.charCodeAt(at) || at >= one.length) return at;
}
