import picomatch from 'picomatch';

/** Which tools of a server the operator lets programs use. Globs on the tool's name; `deny` wins. */
export interface ToolRules {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Whether a tool of that name may be used. */
export type ToolFilter = (name: string) => boolean;

/**
 * Compiles the rules once. Names are flat text: `*` also matches `/` and a leading `.`, and `!` negates nothing.
 */
export function createToolFilter(rules: ToolRules): ToolFilter {
  const allowed = rules.allow.map(compileGlob);
  const denied = rules.deny.map(compileGlob);
  return (name) => {
    const text = flatten(name);
    return allowed.some((matches) => matches(text)) && !denied.some((matches) => matches(text));
  };
}

function compileGlob(glob: string): (text: string) => boolean {
  const matches = picomatch(flatten(glob), { dot: true, nonegate: true, windows: false });
  return (text) => matches(text);
}

/** picomatch matches paths: a private character in the place of `/`, and a letter in front so that `.` and `..` are not special. */
function flatten(text: string): string {
  return `x${text.replaceAll('/', '\uE000')}`;
}
