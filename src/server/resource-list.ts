import { type McpServer, ProtocolError, ProtocolErrorCode, type Resource } from '@modelcontextprotocol/server';

const PAGE = 100;

/** Whatever one part of the server lists; asked for again with each request. */
export type ListResources = () => readonly Resource[] | Promise<readonly Resource[]>;

/**
 * Lists resources in pages. The SDK gives all of them in one answer, which at thousands of tools no client wants; so this takes the
 * place of its handler, and is called after everything that registers resources.
 */
export function pageResourceList(server: McpServer, parts: readonly ListResources[]): void {
  server.server.setRequestHandler('resources/list', async ({ params }) => {
    const resources = (await Promise.all(parts.map(async (list) => list()))).flat();
    const start = params?.cursor === undefined ? 0 : after(params.cursor, resources);
    const page = resources.slice(start, start + PAGE);
    const last = page.at(-1);
    const isEnd = last === undefined || start + page.length >= resources.length;
    return { resources: page, ...(!isEnd && { nextCursor: Buffer.from(last.uri).toString('base64url') }) };
  });
}

/** A cursor is the last resource of its page: what comes and goes around it does not matter. */
function after(cursor: string, resources: readonly Resource[]): number {
  const last = Buffer.from(cursor, 'base64url').toString();
  const at = resources.findIndex(({ uri }) => uri === last);
  if (at >= 0) return at + 1;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The cursor is not good, or stale: list the resources from the beginning.');
}
