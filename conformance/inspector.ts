import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CALL_MS = 60_000;
const PACKAGE = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json'));
const COMMAND = join(PACKAGE, 'clients', 'launcher', 'build', 'index.js');

export const ERAS = ['legacy', 'modern'] as const;
export type Era = (typeof ERAS)[number];

/** What the MCP Inspector's command line gets from `execute_code`: the structured content of the answer. */
export async function inspect(url: string, era: Era, code: string): Promise<unknown> {
  const call = ['--method', 'tools/call', '--tool-name', 'execute_code', '--tool-args-json', JSON.stringify({ code })];
  const target = ['--cli', '--server-url', url, '--transport', 'http', '--protocol-era', era, '--format', 'json', '--quiet'];
  const { stdout } = await run(process.execPath, [COMMAND, ...target, ...call], { timeout: CALL_MS });
  const answer = JSON.parse(stdout) as { result?: { structuredContent?: unknown }; structuredContent?: unknown };
  return answer.structuredContent ?? answer.result?.structuredContent;
}
