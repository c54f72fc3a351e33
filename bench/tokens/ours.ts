import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallToolResult, Client } from '@modelcontextprotocol/client';
import { definitionTokens, tokensOf } from './count.ts';
import type { TaskTokens } from './direct.ts';
import { connectStdio } from './stdio-client.ts';
import type { Task } from './task.ts';
import type { ServerCommand } from './upstreams.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A client of Ampoule with the same servers behind it. */
export interface OurClient extends AsyncDisposable {
  /** Tokens of everything that comes unasked: definitions, instructions, the listings of prompts and skills. */
  readonly upFront: number;
  run(task: Task, folder: string): Promise<TaskTokens>;
}

/** Starts Ampoule over stdio with these servers. `cacheFolder` has the engine. */
export async function connectToAmpoule(servers: Readonly<Record<string, ServerCommand>>, cacheFolder: string): Promise<OurClient> {
  const config = join(cacheFolder, 'ampoule.json');
  // The tasks write files, and nobody is there to be asked.
  await writeFile(config, JSON.stringify({ cacheDir: '.', mcpServers: servers, policies: { default: 'allow' }, log: { level: 'silent' } }));
  await using started = new AsyncDisposableStack();
  const { client } = started.use(await connectStdio(process.execPath, [MAIN, 'serve', '--stdio', '--config', config]));
  const upFront = await tokensUpFront(client);
  const running = started.move();
  return { upFront, run: (task, folder) => runOurs(task, folder, client), [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function tokensUpFront(client: Client): Promise<number> {
  const { tools } = await client.listTools();
  const { prompts } = await client.listPrompts();
  const skill = (await client.listResources()).resources.filter(({ uri }) => uri.startsWith('skill://'));
  const described = skill.map(({ name, description }) => ({ name, description }));
  return definitionTokens(tools) + tokensOf(client.getInstructions() ?? '') + tokensOf(prompts) + tokensOf(described);
}

/** Counts what a model writes (searches and the program) and everything that comes back, structured and not. */
async function runOurs({ name, searches, code }: Task, folder: string, client: Client): Promise<TaskTokens> {
  let tokens = 0;
  const call = async (tool: string, args: Record<string, unknown>): Promise<CallToolResult> => {
    const result = await client.callTool({ name: tool, arguments: args });
    if (result.isError === true) throw new Error(`${name}: ${tool} failed: ${JSON.stringify(result)}`);
    tokens += tokensOf({ name: tool, arguments: args }) + receivedTokens(result);
    return result;
  };
  for (const search of searches) await call('search_tools', { ...search });
  const answer = await call('execute_code', { code, input: folder });
  const structured = answer.structuredContent as { result?: unknown } | undefined;
  return { tokens, turns: searches.length + 1, answer: structured?.result };
}

function receivedTokens({ content, structuredContent }: CallToolResult): number {
  const blocks = content.map((block) => (block.type === 'text' ? tokensOf(block.text) : tokensOf(block)));
  return blocks.reduce((sum, each) => sum + each, structuredContent === undefined ? 0 : tokensOf(structuredContent));
}
