import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { CallAnswer, Lane } from './clients.ts';

const INFO = { name: 'test', version: '1' };

/** What a person says to a question. */
export type Person = (message: string) => Promise<PersonAnswer> | PersonAnswer;
// oxlint-disable-next-line typescript/consistent-type-definitions -- an interface has no index signature, and the SDKs want one
export type PersonAnswer = {
  action: 'accept' | 'decline' | 'cancel';
  content?: Record<string, string | number | boolean | string[]>;
};

/** A client whose user can be asked. */
export interface AskedClient {
  call(args: Record<string, unknown>, signal?: AbortSignal): Promise<CallAnswer>;
  /** Calls another tool. */
  callTool(name: string, args: Record<string, unknown>): Promise<CallAnswer>;
  close(): Promise<void>;
}

export type Target = { url: string } | { program: string; args: string[] };

export async function connectAsked(lane: Lane, target: Target, person: Person): Promise<AskedClient> {
  return lane === 'v1 client' ? connectOld(target, person) : connectModern(lane, target, person);
}

async function connectModern(lane: Lane, target: Target, person: Person): Promise<AskedClient> {
  const mode = lane === 'v2 client, 2026-07-28' ? { pin: '2026-07-28' } : 'legacy';
  const client = new ModernClient(INFO, { capabilities: { elicitation: {} }, versionNegotiation: { mode } });
  client.setRequestHandler('elicitation/create', async ({ params }) => person(params.message));
  await client.connect(
    'url' in target
      ? new ModernHttp(new URL(target.url))
      : new ModernStdio({ command: process.execPath, args: [target.program, ...target.args], stderr: 'inherit' }),
  );
  return {
    call: (args, signal) =>
      client.callTool({ name: 'execute_code', arguments: args }, { ...(signal && { signal }) }) as Promise<CallAnswer>,
    callTool: (name, args) => client.callTool({ name, arguments: args }) as Promise<CallAnswer>,
    close: () => client.close(),
  };
}

async function connectOld(target: Target, person: Person): Promise<AskedClient> {
  const client = new OldClient(INFO, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => person(params.message));
  await client.connect(
    'url' in target
      ? new OldHttp(new URL(target.url))
      : new OldStdio({ command: process.execPath, args: [target.program, ...target.args], stderr: 'inherit' }),
  );
  return {
    call: (args, signal) =>
      client.callTool({ name: 'execute_code', arguments: args }, undefined, { ...(signal && { signal }) }) as Promise<CallAnswer>,
    callTool: (name, args) => client.callTool({ name, arguments: args }) as Promise<CallAnswer>,
    close: () => client.close(),
  };
}
