import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache', import.meta.url));
const SUITE_TOOLS = fileURLToPath(new URL('./suite-tools.ts', import.meta.url));
const START_MS = 120_000;
/** Tools that the suite wants a person to be asked about. */
const ASKED = ['test_input_required_*', 'confirm_delete', 'multi_input'];
/** Nothing that is started here lives longer, whatever happens to this process. */
const BOUND_MS = 600_000;

/** A server as a user starts it, in a folder of its own. */
export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly configFile: string;
}

/** Starts `ampoule serve` over the tools of the suite; those that the suite wants to ask about wait for a person. */
export async function serve(errors: 'ignore' | 'inherit' = 'ignore'): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'ampoule-conformance-'));
  const configFile = join(directory, 'ampoule.json');
  const config = {
    cacheDir: CACHE,
    generatedDir: join(directory, 'generated'),
    log: { level: 'silent' },
    mcpServers: { suite: { command: process.execPath, args: [SUITE_TOOLS] } },
    policies: { default: 'allow', servers: { suite: { tools: Object.fromEntries(ASKED.map((tool) => [tool, { policy: 'ask' }])) } } },
  };
  await writeFile(configFile, JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', configFile, '--http', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', errors],
    timeout: BOUND_MS,
  });
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { url: await readyUrl(child), configFile, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the server has no output');
  const late = AbortSignal.timeout(START_MS);
  late.addEventListener('abort', () => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ampoule ready (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the server did not start');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
