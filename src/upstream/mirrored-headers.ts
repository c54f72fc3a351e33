/** The keyword by which a tool asks for an argument to be mirrored in an HTTP header (MCP 2026-07-28, Streamable HTTP). */
const KEYWORD = 'x-mcp-header';
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MIRRORED_TYPES = new Set(['string', 'integer', 'boolean']);

type Schema = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the headers that a tool asks for; undefined when nothing is. A client over HTTP has to leave out a tool whose
 * declarations break the rules: a non-empty token, on a string, integer or boolean, once whatever its case, and only on properties
 * that are reached by way of `properties` alone.
 */
export function mirroredHeaderFault(schema: Schema): string | undefined {
  const names = new Set<string>();
  const ofProperties = (node: Schema, path: string): string | undefined => {
    for (const [key, child] of Object.entries(isRecord(node['properties']) ? node['properties'] : {})) {
      const fault = isRecord(child) ? ofProperty(child, path === '' ? key : `${path}.${key}`) : undefined;
      if (fault !== undefined) return fault;
    }
    return Object.keys(node).some((keyword) => keyword !== 'properties' && mentions(node[keyword])) ? unreachable(path) : undefined;
  };
  const ofProperty = (node: Schema, path: string): string | undefined => {
    if (!(KEYWORD in node)) return ofProperties(node, path);
    const { [KEYWORD]: name, ...rest } = node;
    const fault = nameFault(name, rest['type'], names);
    return fault === undefined ? ofProperties(rest, path) : `its argument "${path}" has an ${KEYWORD} that ${fault}`;
  };
  return KEYWORD in schema ? unreachable('') : ofProperties(schema, '');
}

function nameFault(name: unknown, type: unknown, names: Set<string>): string | undefined {
  if (typeof name !== 'string' || !TOKEN.test(name)) return 'is not the name of a header';
  if (!MIRRORED_TYPES.has(String(type))) return 'is on something other than a string, integer or boolean';
  if (names.has(name.toLowerCase())) return 'another argument has too';
  names.add(name.toLowerCase());
  return undefined;
}

function unreachable(path: string): string {
  return `it has an ${KEYWORD} ${path === '' ? '' : `below its argument "${path}" `}that is not on a plain property`;
}

/** Whether the keyword stands anywhere in a part of a schema. The depth of schemas is bounded when they are listed. */
function mentions(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return (!Array.isArray(part) && KEYWORD in part) || Object.values(part).some(mentions);
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
