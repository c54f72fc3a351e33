import type { Catalog, CatalogTool } from '../upstream/catalog.ts';
import type { WrapperTool } from '../wrappers/wrapper-set.ts';

const WITHOUT_SERVERS = `const numbers = [3, 1, 2];
return { sorted: numbers.toSorted((a, b) => a - b) };`;

/** The longest arguments that still make a readable example, in characters. */
const ARGUMENT_CHARS = 200;

/** A complete program that calls a tool of the catalog; the one that is easiest to read, preferably one that changes nothing. */
export function describeExample(tools: readonly WrapperTool[], catalog: Catalog): string {
  const best = candidates(tools, catalog).toSorted((a, b) => a.cost - b.cost)[0];
  const program = best ? withTool(best) : WITHOUT_SERVERS;
  return ['```ts', program, '```'].join('\n');
}

interface Candidate {
  readonly tool: WrapperTool;
  readonly args: string;
  /** Lower is better; the order of the tools decides between equals. */
  readonly cost: number;
}

function candidates(tools: readonly WrapperTool[], catalog: Catalog): Candidate[] {
  return tools.flatMap((tool) => {
    const server = catalog.servers.find(({ name, state }) => name === tool.server && state === 'ready');
    const listed = server?.tools.find(({ name }) => name === tool.tool);
    const args = listed && exampleArguments(listed);
    if (listed === undefined || args === undefined || args.length > ARGUMENT_CHARS) return [];
    const cost = args.length + (listed.annotations?.readOnlyHint === true ? 0 : 1_000) + (args === '{}' ? 100 : 0);
    return [{ tool, args, cost }];
  });
}

function withTool({ tool, args }: Candidate): string {
  return `import { ${tool.functionName} } from "servers/${tool.folder}";
return await ${tool.functionName}(${args});`;
}

/** Values for the required properties, or undefined when one of them is not simple. */
function exampleArguments({ inputSchema }: CatalogTool): string | undefined {
  const properties = isRecord(inputSchema['properties']) ? inputSchema['properties'] : {};
  const required = Array.isArray(inputSchema['required']) ? inputSchema['required'] : [];
  const parts: string[] = [];
  for (const name of required) {
    const value = typeof name === 'string' && Object.hasOwn(properties, name) ? exampleValue(properties[name]) : undefined;
    if (typeof name !== 'string' || value === undefined) return undefined;
    parts.push(`${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${value}`);
  }
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function exampleValue(schema: unknown): string | undefined {
  if (!isRecord(schema)) return undefined;
  for (const given of [schema['default'], Array.isArray(schema['enum']) ? schema['enum'][0] : undefined]) {
    if (['string', 'number', 'boolean'].includes(typeof given)) return JSON.stringify(given);
  }
  switch (schema['type']) {
    case 'string':
      return '"…"';
    case 'integer':
    case 'number':
      return '1';
    case 'boolean':
      return 'true';
    case 'array':
      return '[]';
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
