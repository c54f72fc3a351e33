import type { Client } from '@modelcontextprotocol/client';
import { definitionTokens, tokensOf } from './count.ts';
import { connectStdio } from './stdio-client.ts';
import type { Task } from './task.ts';
import type { ServerCommand } from './upstreams.ts';

/** Tokens of one task, and how often the model had its turn. */
export interface TaskTokens {
  readonly tokens: number;
  readonly turns: number;
  readonly answer: unknown;
}

/** A client that gives a model all tools of all servers. */
export interface DirectClient extends AsyncDisposable {
  readonly tools: number;
  /** Tokens of all definitions, before anybody has said a word. */
  readonly upFront: number;
  run(task: Task, folder: string): Promise<TaskTokens>;
}

/** Connects to all servers as a client without Ampoule does. */
export async function connectDirectly(servers: Readonly<Record<string, ServerCommand>>): Promise<DirectClient> {
  await using started = new AsyncDisposableStack();
  const clients = new Map<string, Client>();
  const listed = await Promise.all(
    Object.entries(servers).map(async ([name, { command, args, env }]) => {
      const { client } = started.use(await connectStdio(command, args, env));
      clients.set(name, client);
      return (await client.listTools()).tools;
    }),
  );
  const running = started.move();
  return {
    tools: listed.flat().length,
    upFront: definitionTokens(listed.flat()),
    run: (task, folder) => runDirectly(task, folder, clients),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Counts what a model writes (name and arguments of each call) and what it gets (the text of each answer, and not its structured copy). */
async function runDirectly(task: Task, folder: string, clients: ReadonlyMap<string, Client>): Promise<TaskTokens> {
  let [tokens, turns] = [0, 0];
  const answer = await task.direct(async (server, tool, args) => {
    const result = await clients.get(server)?.callTool({ name: tool, arguments: args });
    if (result === undefined || result.isError === true) {
      throw new Error(`${task.name}: ${server}.${tool} failed: ${JSON.stringify(result)}`);
    }
    turns += 1;
    const texts = result.content.map((block) => (block.type === 'text' ? block.text : JSON.stringify(block)));
    tokens += tokensOf({ name: tool, arguments: args }) + texts.reduce((sum, text) => sum + tokensOf(text), 0);
    return result.structuredContent ?? texts.join('\n');
  }, folder);
  return { tokens, turns, answer };
}
