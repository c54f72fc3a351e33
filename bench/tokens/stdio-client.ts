import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const STARTUP_MS = 60_000;

/** A client of a server that is started as a child process, ended with the scope. */
export async function connectStdio(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ client: Client } & AsyncDisposable> {
  const client = new Client({ name: 'ampoule-bench', version: '1.0.0' });
  const inherited = { PATH: process.env['PATH'] ?? '' };
  await client.connect(new StdioClientTransport({ command, args: [...args], env: { ...inherited, ...env }, stderr: 'ignore' }), {
    timeout: STARTUP_MS,
  });
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
