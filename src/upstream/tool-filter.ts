import { compileGlob } from '../glob.ts';

/** Which tools of a server the operator lets programs use. Globs on the tool's name; `deny` wins. */
export interface ToolRules {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Whether a tool of that name may be used. */
export type ToolFilter = (name: string) => boolean;

/** Compiles the rules once. */
export function createToolFilter(rules: ToolRules): ToolFilter {
  const allowed = rules.allow.map(compileGlob);
  const denied = rules.deny.map(compileGlob);
  return (name) => allowed.some((matches) => matches(name)) && !denied.some((matches) => matches(name));
}
