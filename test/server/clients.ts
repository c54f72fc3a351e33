import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** What a call gives, the same for both SDKs. */
export interface CallAnswer {
  readonly content: readonly { readonly type: string; readonly text?: string; readonly data?: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
}

interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: { progress: number; message?: string | undefined }) => void;
}

/** What a client is told of while it is connected. */
export type Change = 'tools' | 'resources';

interface Listed {
  readonly uri: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
}

/** One connected client, whichever SDK and protocol era it is of. */
export interface TestClient {
  listTools(): Promise<{
    tools: { name: string; description?: string; outputSchema?: unknown; inputSchema: unknown; annotations?: object }[];
  }>;
  /** Calls `execute_code`. */
  call(args: Record<string, unknown>, options?: CallOptions): Promise<CallAnswer>;
  callTool(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<CallAnswer>;
  /** One page of the resources. */
  listResources(cursor?: string): Promise<{ resources: Listed[]; nextCursor?: string | undefined }>;
  /** The first of a resource's contents. */
  readResource(uri: string): Promise<{ uri: string; text?: string; mimeType?: string | undefined }>;
  /** A resource with all its contents. */
  readWhole(
    uri: string,
  ): Promise<{ contents: { uri: string; text?: string; blob?: string; mimeType?: string | undefined }[]; _meta?: unknown }>;
  /** Asks for lines of logs from a level on: with each call from now on, or once, by what the protocol has. */
  setLogLevel(level: 'debug' | 'info' | 'warning' | 'error'): Promise<void>;
  /** The lines of logs that it was told of. */
  logged(): readonly { level: string; data: unknown }[];
  /** Values for a variable of the wrappers' template. */
  complete(name: string, value: string, known?: Record<string, string>): Promise<string[]>;
  listPrompts(): Promise<{ name: string; description?: string | undefined }[]>;
  /** The text of a prompt. */
  getPrompt(name: string, args?: Record<string, string>): Promise<string>;
  /** How often it was told of changes since it connected. */
  changes(): Readonly<Record<Change, number>>;
  close(): Promise<void>;
}

const TEMPLATE = { type: 'ref/resource', uri: 'ampoule://servers/{server}/{tool}.ts' } as const;

function textOf({ messages }: { messages: { content: { type: string; text?: string } }[] }): string {
  return messages.map(({ content }) => content.text ?? '').join('\n');
}

/** The parameters of a completion. */
function completion(name: string, value: string, known?: Record<string, string>) {
  return { ref: TEMPLATE, argument: { name, value }, ...(known && { context: { arguments: known } }) };
}

export const LANES = ['v2 client, 2026-07-28', 'v2 client, 2025-11-25', 'v1 client'] as const;
export type Lane = (typeof LANES)[number];

const INFO = { name: 'test', version: '1' };

/** Connects over Streamable HTTP to a URL, or over stdio to a program that Node runs. */
export async function connect(lane: Lane, target: { url: string } | { program: string; args?: string[] }): Promise<TestClient> {
  return lane === 'v1 client' ? connectOld(target) : connectModern(lane, target);
}

async function connectModern(lane: Lane, target: { url: string } | { program: string; args?: string[] }): Promise<TestClient> {
  const mode = lane === 'v2 client, 2026-07-28' ? { pin: '2026-07-28' } : 'legacy';
  const counts = { tools: 0, resources: 0 };
  const told = (what: Change) => ({ autoRefresh: false, debounceMs: 0, onChanged: () => void counts[what]++ });
  const client = new ModernClient(INFO, {
    versionNegotiation: { mode },
    listChanged: { tools: told('tools'), resources: told('resources') },
  });
  const transport =
    'url' in target
      ? new ModernHttp(new URL(target.url))
      : new ModernStdio({ command: process.execPath, args: [target.program, ...(target.args ?? [])], stderr: 'inherit' });
  const lines: { level: string; data: unknown }[] = [];
  client.setNotificationHandler('notifications/message', ({ params }) => void lines.push(params));
  let asked: { _meta?: Record<string, string> } = {};
  const setLogLevel: TestClient['setLogLevel'] = async (level) => {
    if (lane === 'v2 client, 2026-07-28') asked = { _meta: { 'io.modelcontextprotocol/logLevel': level } };
    else await client.setLoggingLevel(level);
  };
  await client.connect(transport);
  return {
    listTools: () => client.listTools() as ReturnType<TestClient['listTools']>,
    call: (args, options) => client.callTool({ name: 'execute_code', arguments: args, ...asked }, { ...options }) as Promise<CallAnswer>,
    callTool: (name, args, options) => client.callTool({ name, arguments: args, ...asked }, { ...options }) as Promise<CallAnswer>,
    listResources: (cursor) => client.request({ method: 'resources/list', params: cursor === undefined ? {} : { cursor } }),
    readResource: async (uri) => (await client.readResource({ uri })).contents[0]!,
    readWhole: (uri) => client.readResource({ uri }),
    setLogLevel,
    logged: () => lines,
    complete: async (name, value, known) => (await client.complete(completion(name, value, known))).completion.values,
    listPrompts: async () => (await client.listPrompts()).prompts,
    getPrompt: async (name, args = {}) => textOf(await client.getPrompt({ name, arguments: args })),
    changes: () => counts,
    close: () => client.close(),
  };
}

async function connectOld(target: { url: string } | { program: string; args?: string[] }): Promise<TestClient> {
  const client = new OldClient(INFO);
  const counts = { tools: 0, resources: 0 };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void counts.tools++);
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void counts.resources++);
  const transport =
    'url' in target
      ? new OldHttp(new URL(target.url))
      : new OldStdio({ command: process.execPath, args: [target.program, ...(target.args ?? [])], stderr: 'inherit' });
  const lines: { level: string; data: unknown }[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void lines.push(params));
  const setLogLevel: TestClient['setLogLevel'] = async (level) => void (await client.setLoggingLevel(level));
  await client.connect(transport);
  return {
    listTools: () => client.listTools() as ReturnType<TestClient['listTools']>,
    call: (args, options) => client.callTool({ name: 'execute_code', arguments: args }, undefined, { ...options }) as Promise<CallAnswer>,
    callTool: (name, args, options) => client.callTool({ name, arguments: args }, undefined, { ...options }) as Promise<CallAnswer>,
    listResources: (cursor) => client.listResources(cursor === undefined ? {} : { cursor }),
    readResource: async (uri) => (await client.readResource({ uri })).contents[0]!,
    readWhole: (uri) => client.readResource({ uri }),
    setLogLevel,
    logged: () => lines,
    complete: async (name, value, known) => (await client.complete(completion(name, value, known))).completion.values,
    listPrompts: async () => (await client.listPrompts()).prompts,
    getPrompt: async (name, args = {}) => textOf(await client.getPrompt({ name, arguments: args })),
    changes: () => counts,
    close: () => client.close(),
  };
}
