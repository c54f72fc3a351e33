import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { McpServer, RegisteredTool } from '@modelcontextprotocol/server';
import { serveStdio as serveMcp, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createChangeNotices } from './change-notices.ts';
import { describeTool } from './describe.ts';
import { LogLevels } from './log-levels.ts';
import { createParking } from './create-parking.ts';
import { createMcpServer } from './mcp-server.ts';
import { LOCAL } from './request-principal.ts';
import { closingError, createRunTracker } from './run-tracker.ts';
import { messageBytes } from './server-options.ts';
import type { ServerOptions } from './server-options.ts';

/** How long runs may take to end after the client is gone, in milliseconds. */
const RUNS_GRACE_MS = 4_000;

export interface StdioServerOptions extends ServerOptions {
  readonly stdin: Readable;
  /** Carries MCP messages and nothing else. */
  readonly stdout: Writable;
}

export interface StdioServerHandle {
  /** Resolves when the client closed stdin or the server was closed, and the runs have ended. */
  readonly closed: Promise<void>;
  /** Tells the client that tools and wrappers may have changed, at a bounded rate. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** Serves MCP to one client over two streams, in the protocol era that the client opens with. */
export function serveStdio(options: StdioServerOptions): StdioServerHandle {
  const { port, log } = options;
  const closing = new AbortController();
  const runs = createRunTracker();
  const levels = new LogLevels();
  const parked = createParking(options.port, closing.signal);
  const tools = new Map<McpServer, RegisteredTool>();
  const ended = Promise.withResolvers<void>();
  const transport = new EndingTransport(options, ended.resolve);
  const factory = (): McpServer => {
    const { server, tool } = createMcpServer({
      ...options,
      runs,
      levels,
      parked,
      closing: closing.signal,
      listChanged: true,
      principal: LOCAL,
    });
    tools.set(server, tool);
    return server;
  };
  const notices = createChangeNotices(() => {
    const description = describeTool(port.description());
    for (const [server, tool] of tools) {
      if (tool.description !== description) tool.update({ description });
      server.sendResourceListChanged();
    }
  });
  const connection = serveMcp(factory, { transport, onerror: (error) => log.warn({ err: error }, 'MCP message refused') });
  const closed = ended.promise.then(async () => {
    notices.end();
    closing.abort(closingError());
    await runs.idle(RUNS_GRACE_MS);
  });
  return {
    closed,
    toolsChanged: () => notices.changed(),
    close: async () => {
      closing.abort(closingError());
      await runs.idle(RUNS_GRACE_MS);
      // The SDK turns a finished run into an answer within this turn of the event loop.
      await nextTurn();
      await connection.close();
      ended.resolve();
      await closed;
    },
  };
}

/** Says when it has ended, for whatever reason: end of stdin, a broken stdout, a message over the limit, or our own close. */
class EndingTransport extends StdioServerTransport {
  readonly #ended: () => void;

  constructor(options: StdioServerOptions, ended: () => void) {
    super(options.stdin, options.stdout, { maxBufferSize: messageBytes(options) });
    this.#ended = ended;
  }

  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#ended();
    }
  }
}
