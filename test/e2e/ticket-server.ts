import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** An upstream server that outlives the gateways, and knows what each of them has asked for. */
export interface TicketServer extends AsyncDisposable {
  readonly url: string;
  /** Ids of the tickets that were removed, in order. */
  readonly removed: string[];
  /** Removing one of these goes on for ever. */
  readonly stuck: Set<string>;
  /** What the tool `archive` says of itself. */
  archiving: string;
}

export async function startTickets(): Promise<TicketServer> {
  const removed: string[] = [];
  const stuck = new Set<string>();
  const tickets = { removed, stuck, archiving: 'Puts a ticket away.' };
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'tickets', version: '1' });
    const config = { inputSchema: z.object({ id: z.string() }), annotations: { destructiveHint: true } };
    server.registerTool('remove', config, async ({ id }) => {
      removed.push(id);
      if (stuck.delete(id)) await new Promise(() => undefined);
      return { content: [{ type: 'text', text: `removed ${id}` }] };
    });
    const archive = { ...config, description: tickets.archiving };
    server.registerTool('archive', archive, ({ id }) => ({ content: [{ type: 'text', text: `archived ${id}` }] }));
    return server;
  });
  const node = toNodeHandler(handler);
  const server = createServer((req, res) => void node(Object.assign(req, {}) as Parameters<typeof node>[0], res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    await handler.close();
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return Object.assign(tickets, { url, [Symbol.asyncDispose]: close });
}
