import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** The demo, as a newcomer sees it: start the server, connect a client, run one program twice, show everything that comes back. */

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const program = await readFile(new URL('./weather.ts', import.meta.url), 'utf8');
const bold = (text: string): string => styleText('bold', text);
const dim = (text: string): string => styleText('dim', text);
const print = (text = ''): boolean => process.stdout.write(`${text}\n`);

interface Answer {
  status: string;
  result?: unknown;
  session?: string;
  logs: { level: string; message: string }[];
  calls: { server: string; tool: string; ok: boolean; ms: number }[];
  usage: { fuel: number; peakMemoryBytes: number; activeMs: number; waitingMs: number; cache?: string; phases: Record<string, number> };
  error?: { code: string; message: string; hint?: string };
}

print(bold('Ampoule: one sealed run of code that an agent wrote'));
print(dim('Starting the server with two MCP servers behind it ...'));
const server = spawn(process.execPath, [main, 'serve', '--http', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const client = new Client({ name: 'ampoule-demo', version: '1.0.0' });
try {
  const url = await readyUrl(server);
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const { tools } = await client.listTools();
  print(`\n${bold('Connected')} to ${url}; the whole list of tools is ${tools.map(({ name }) => name).join(', ')}\n`);
  print(bold('The program, as an agent would send it'));
  print(program.trimEnd().replaceAll(/^/gm, dim('  │ ')));
  const first = await execute({ code: program, session: 'new' });
  show('First run: never seen before', first);
  show('Second run: the same program, in the same session', await execute({ code: program, session: first.session }));
  process.exitCode = first.status === 'completed' ? 0 : 1;
} finally {
  await client.close();
  server.kill('SIGTERM');
}

async function execute(args: Record<string, unknown>): Promise<Answer & { roundTripMs: number }> {
  const began = performance.now();
  const { structuredContent } = await client.callTool({ name: 'execute_code', arguments: args });
  return { ...(structuredContent as Answer), roundTripMs: performance.now() - began };
}

function show(title: string, { status, result, logs, calls, usage, error, roundTripMs }: Answer & { roundTripMs: number }): void {
  print(`\n${bold(title)}  ${styleText(status === 'completed' ? 'green' : 'red', status)}`);
  if (error) print(`  ${error.code}: ${error.message} ${error.hint ?? ''}`);
  print(`  result  ${JSON.stringify(result)}`);
  for (const { level, message } of logs) print(`  log     ${dim(level)} ${message}`);
  for (const { server: name, tool, ok, ms: took } of calls) print(`  call    ${ok ? '✓' : '✗'} ${name}.${tool} ${dim(milliseconds(took))}`);
  print(
    `  usage   ${usage.fuel.toLocaleString('en')} fuel, ${(usage.peakMemoryBytes / 1024 / 1024).toFixed(1)} MiB, ${milliseconds(usage.activeMs)} computing, ${milliseconds(usage.waitingMs)} waiting`,
  );
  const phases = Object.entries(usage.phases).map(([name, took]) => `${name} ${milliseconds(took)}`);
  print(`  phases  ${phases.join(', ')} ${dim(`(program cache: ${usage.cache}; whole call ${milliseconds(roundTripMs)})`)}`);
}

function milliseconds(amount: number): string {
  return `${amount.toFixed(amount < 10 ? 2 : 0)} ms`;
}

/** The URL of the line `ampoule ready URL`. */
async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('the server has no output');
  for await (const line of createInterface({ input: stdout })) {
    const url = /^ampoule ready (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The server ended before it was ready; what it said is above.');
}
