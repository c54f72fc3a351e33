import { toSandboxError } from '../errors.ts';
import type { ToolAnswer } from '../execute/run.ts';
import type { Limits } from '../limits.ts';
import { parseBoundedJson } from '../result/bounded-json.ts';

type Arguments = { readonly ok: true; readonly value: Record<string, unknown> } | Extract<ToolAnswer, { ok: false }>;

/** The arguments of a call as a program gave them, or the answer to one whose arguments are no object within the bounds. */
export function parseArguments(text: string, limits: Limits): Arguments {
  try {
    const bounds = { maxBytes: limits.maxToolArgumentBytes, maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
    const value = parseBoundedJson(text, bounds);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ok: true, value: value as Record<string, unknown> };
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: 'The arguments of a tool call must be one object.' } };
  } catch (error) {
    return { ok: false, error: { code: 'ERR_CALL_ARGUMENTS', message: toSandboxError(error).message } };
  }
}
