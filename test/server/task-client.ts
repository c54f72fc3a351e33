import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient, type ApplicationElicitResult, type TaskEnabledSession } from '@modelcontextprotocol/ext-tasks/client';
import type { JsonValue } from '@modelcontextprotocol/ext-tasks/core';
import { JSON_TYPE, send } from './raw-http.ts';

export const MODERN = '2026-07-28';
const INFO = { name: 'test', version: '1' };
const ASKED = { elicitation: { form: {} } };

/** What a person says to the text of a question. */
export type Person = (message: string) => ApplicationElicitResult | Promise<ApplicationElicitResult>;

/** The official client of the tasks of both revisions, on top of the SDK's. */
export interface TaskClient extends AsyncDisposable {
  readonly session: TaskEnabledSession;
}

/** Connects over Streamable HTTP; with a person its user can be asked. */
export async function connectTasks(revision: '2025-11-25' | typeof MODERN, url: string, person?: Person): Promise<TaskClient> {
  const clientCapabilities = person ? ASKED : {};
  const mode = revision === MODERN ? { pin: MODERN } : 'legacy';
  const client = new ModernClient(INFO, { versionNegotiation: { mode }, capabilities: clientCapabilities });
  await client.connect(new ModernHttp(new URL(url)));
  const raw = { rawDispatch: rawDispatch(url), v2RequestFraming: { protocolVersion: MODERN, clientInfo: INFO, clientCapabilities } };
  const session = createTaskSessionFromClient(client, {
    endpointId: 'test',
    ...(revision === MODERN && raw),
    ...(person && {
      onInputRequest: (request) => person(request.kind === 'elicitation' ? (request.params['message'] as string) : '') as never,
    }),
  });
  const close = async (): Promise<void> => {
    await session.close();
    await client.close();
  };
  return { session, [Symbol.asyncDispose]: close };
}

/** The SDK's client takes no results of tasks, so they go past it: what the tasks' client says is sent as it is. */
function rawDispatch(url: string) {
  let id = 0;
  return async (request: JsonValue) => {
    const { error, result } = await sendModern(url, { ...(request as { method: string; params: Record<string, unknown> }), id: ++id });
    return error ? { kind: 'error' as const, error } : { kind: 'result' as const, result: result as JsonValue };
  };
}

export interface RpcAnswer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: JsonValue };
}

interface Rpc {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly id?: number;
}

/** Sends one request as it is, with the headers of 2026-07-28. */
export async function sendModern(url: string, { method, params, id = 1 }: Rpc): Promise<RpcAnswer> {
  const name = params['name'] ?? params['taskId'];
  const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) };
  return read((await send(url, 'POST', { ...JSON_TYPE, ...headers }, JSON.stringify({ jsonrpc: '2.0', id, method, params }))).body);
}

/** An answer, whether it came as JSON or as an event. */
export function read(body: string): RpcAnswer {
  const line = body.split('\n').find((text) => text.startsWith('data: {'));
  return JSON.parse(line === undefined ? body : line.slice('data: '.length)) as RpcAnswer;
}

/** What a client of 2026-07-28 says of itself. */
export function envelope(capabilities: object): Record<string, unknown> {
  return {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': INFO,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
}
