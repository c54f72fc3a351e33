import type { CallToolRequest, CallToolResult, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';

/** The result of a call, of whichever kind. The SDK holds it to the protocol. */
export type CallResult = CallToolResult | InputRequiredResult;
export type CallHandler = (request: CallToolRequest, ctx: ServerContext) => Promise<CallResult>;

/**
 * Lets calls of tools be answered in another way than the SDK answers them: by `answer`, which may hand over to the SDK with `next`. To be called
 * before any tool is registered, because with the first one the SDK takes its handler.
 */
export function interceptCalls(
  { server }: McpServer,
  answer: (request: CallToolRequest, ctx: ServerContext, next: CallHandler) => Promise<CallResult>,
): void {
  const handlers = server as { setRequestHandler: (method: string, ...more: unknown[]) => void };
  const set = handlers.setRequestHandler.bind(server);
  handlers.setRequestHandler = (method, ...more) => {
    const [handler] = more;
    if (method !== 'tools/call' || typeof handler !== 'function') return set(method, ...more);
    return set(method, (request: CallToolRequest, ctx: ServerContext) => answer(request, ctx, handler as CallHandler));
  };
}
