import type { CatalogTool, ToolAnnotations } from './catalog.ts';
import { LISTING_BOUNDS } from './options.ts';

/** Most characters of a tool's name. MCP says 128; some servers go over. */
const MAX_NAME_LENGTH = 256;
const MAX_CURSOR_LENGTH = 16 * 1024;
const MAX_SCHEMA_DEPTH = 200;
const MAX_TEXT_LENGTH = 64 * 1024;

/** Asks for one page of tools/list. The answer is unchecked. */
export type FetchPage = (cursor: string | undefined) => Promise<unknown>;

/** What a server lists, and what was wrong with it. */
export interface Listing {
  /** By name, in the order of the list. The first of a name wins. */
  readonly tools: ReadonlyMap<string, CatalogTool>;
  /** One line each, for the operator. */
  readonly warnings: readonly string[];
}

/**
 * Reads all pages of a server's tools, up to {@link LISTING_BOUNDS}: past a bound, and at a cursor that repeats, it ends with what there is.
 * @param faultOf why a tool cannot be offered; then it is left out
 * @throws Error when a page is not a list of tools, and whatever `fetchPage` throws
 */
export async function listTools(
  fetchPage: FetchPage,
  bounds: Bounds = LISTING_BOUNDS,
  faultOf: FaultOf = () => undefined,
): Promise<Listing> {
  const tools = new Map<string, CatalogTool>();
  const warnings = new Set<string>();
  const seen = new Set<string>();
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const { listed, nextCursor } = parsePage(await fetchPage(cursor));
    bytes += Buffer.byteLength(JSON.stringify(listed));
    if (bytes > bounds.bytes) {
      warnings.add(`its list of tools is over ${bounds.bytes} bytes: the rest is left out`);
      break;
    }
    addTools(listed, { tools, warnings, bounds, faultOf });
    const end = endOfList({ page, nextCursor, seen, tools, bounds });
    if (end !== undefined) {
      if (end !== '') warnings.add(end);
      break;
    }
    if (nextCursor !== undefined) seen.add(nextCursor);
    cursor = nextCursor;
  }
  return { tools, warnings: summarize([...warnings]) };
}

/** Why a tool cannot be offered; undefined when it can. */
export type FaultOf = (tool: CatalogTool) => string | undefined;

interface Bounds {
  readonly pages: number;
  readonly tools: number;
  readonly bytes: number;
}

interface Paging {
  readonly page: number;
  readonly nextCursor: string | undefined;
  readonly seen: ReadonlySet<string>;
  readonly tools: ReadonlyMap<string, CatalogTool>;
  readonly bounds: Bounds;
}

/** Undefined when there is another page to ask for, '' at the proper end, else the warning about the improper one. */
function endOfList({ page, nextCursor, seen, tools, bounds }: Paging): string | undefined {
  if (tools.size >= bounds.tools && nextCursor !== undefined) return `it lists more than ${bounds.tools} tools: the rest is left out`;
  if (nextCursor === undefined) return '';
  if (nextCursor.length > MAX_CURSOR_LENGTH) return 'its list of tools has a cursor that is far too long: the list ends there';
  if (seen.has(nextCursor)) return 'its list of tools repeats a cursor: the list ends there';
  return page >= bounds.pages ? `its list of tools has more than ${bounds.pages} pages: the rest is left out` : undefined;
}

function parsePage(raw: unknown): { listed: readonly (CatalogTool | undefined)[]; nextCursor: string | undefined } {
  const page = isRecord(raw) ? raw : {};
  const rawTools: unknown = page['tools'];
  if (!Array.isArray(rawTools)) throw new Error('it answered tools/list with something that is not a list of tools');
  const cursor = page['nextCursor'];
  return { listed: rawTools.map(parseTool), nextCursor: typeof cursor === 'string' ? cursor : undefined };
}

interface Target {
  readonly tools: Map<string, CatalogTool>;
  readonly warnings: Set<string>;
  readonly bounds: Bounds;
  readonly faultOf: FaultOf;
}

function addTools(listed: readonly (CatalogTool | undefined)[], { tools, warnings, bounds, faultOf }: Target): void {
  for (const tool of listed) {
    const fault = tool && faultOf(tool);
    if (tool === undefined) warnings.add('it lists a tool without a usable name: left out');
    else if (fault !== undefined) warnings.add(`its tool "${tool.name}" is left out: ${fault}`);
    else if (tools.has(tool.name)) warnings.add(`it lists the tool "${tool.name}" more than once: the first one is used`);
    else if (tools.size >= bounds.tools) {
      warnings.add(`it lists more than ${bounds.tools} tools: the rest is left out`);
      return;
    } else tools.set(tool.name, tool);
  }
}

function parseTool(raw: unknown): CatalogTool | undefined {
  if (!isRecord(raw)) return undefined;
  const { name, title, description, inputSchema, outputSchema, annotations } = raw;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) return undefined;
  return Object.freeze({
    name,
    ...(typeof title === 'string' && { title: title.slice(0, MAX_TEXT_LENGTH) }),
    ...(typeof description === 'string' && { description: description.slice(0, MAX_TEXT_LENGTH) }),
    inputSchema: isUsableSchema(inputSchema) ? inputSchema : { type: 'object' },
    ...(isUsableSchema(outputSchema) && { outputSchema }),
    ...(isRecord(annotations) && { annotations: parseAnnotations(annotations) }),
  });
}

function parseAnnotations(raw: Readonly<Record<string, unknown>>): ToolAnnotations {
  const { title, readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = raw;
  return {
    ...(typeof title === 'string' && { title: title.slice(0, MAX_TEXT_LENGTH) }),
    ...(typeof readOnlyHint === 'boolean' && { readOnlyHint }),
    ...(typeof destructiveHint === 'boolean' && { destructiveHint }),
    ...(typeof idempotentHint === 'boolean' && { idempotentHint }),
    ...(typeof openWorldHint === 'boolean' && { openWorldHint }),
  };
}

/** Whatever works on schemas recurses: one that is too deep is treated as if it were not there. */
function isUsableSchema(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && isWithinDepth(value, MAX_SCHEMA_DEPTH);
}

function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isWithinDepth(part, levels - 1));
}

/** Thousands of the same complaint are one complaint. */
function summarize(warnings: string[]): string[] {
  return warnings.length <= 10 ? warnings : [...warnings.slice(0, 10), `and ${warnings.length - 10} more problems with its list of tools`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
