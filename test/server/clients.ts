import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

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

/** One connected client, whichever SDK and protocol era it is of. */
export interface TestClient {
  listTools(): Promise<{
    tools: { name: string; description?: string; outputSchema?: unknown; inputSchema: unknown; annotations?: object }[];
  }>;
  call(args: Record<string, unknown>, options?: CallOptions): Promise<CallAnswer>;
  close(): Promise<void>;
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
  const client = new ModernClient(INFO, { versionNegotiation: { mode } });
  const transport =
    'url' in target
      ? new ModernHttp(new URL(target.url))
      : new ModernStdio({ command: process.execPath, args: [target.program, ...(target.args ?? [])], stderr: 'inherit' });
  await client.connect(transport);
  return {
    listTools: () => client.listTools() as ReturnType<TestClient['listTools']>,
    call: (args, options) => client.callTool({ name: 'execute_code', arguments: args }, { ...options }) as Promise<CallAnswer>,
    close: () => client.close(),
  };
}

async function connectOld(target: { url: string } | { program: string; args?: string[] }): Promise<TestClient> {
  const client = new OldClient(INFO);
  const transport =
    'url' in target
      ? new OldHttp(new URL(target.url))
      : new OldStdio({ command: process.execPath, args: [target.program, ...(target.args ?? [])], stderr: 'inherit' });
  await client.connect(transport);
  return {
    listTools: () => client.listTools() as ReturnType<TestClient['listTools']>,
    call: (args, options) => client.callTool({ name: 'execute_code', arguments: args }, undefined, { ...options }) as Promise<CallAnswer>,
    close: () => client.close(),
  };
}
