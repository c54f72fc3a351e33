import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { median, percentile } from './measure.ts';
import { programOf } from './over-http-upstream.ts';
import { RawConnection, type StructuredAnswer } from './raw-connection.ts';

const START_MS = 60_000;
const END_MS = 10_000;
const WARM_UP = 60;

/** Milliseconds of `n` runs. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly n: number;
}

/** Latency, and where it went: medians by phase of the answers' own `usage.phases`, and `outside` for HTTP and MCP. */
export interface OverHttp extends Latency {
  readonly phases: Readonly<Record<string, number>>;
}

/** Which client the load comes from: a bare keep-alive connection that posts JSON-RPC, or the SDK's own. */
export type LoadClient = 'raw' | 'sdk';

/** A gateway in a process of its own, over HTTP on loopback, with an upstream server inside of it. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  /** From the start of the process until it answers. */
  readonly readyMs: number;
}

/** Starts a gateway. The engine must be built. @throws Error when it is not ready in time */
export async function openGateway(config: object = {}, execArgv: readonly string[] = []): Promise<Gateway> {
  const began = performance.now();
  const child: ChildProcess = fork(new URL('./over-http-gateway.ts', import.meta.url), [JSON.stringify(config)], {
    execArgv: [...execArgv],
    env: {},
  });
  const ended = once(child, 'exit');
  const url = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_MS) }).then(([message]) => (message as { url: string }).url),
    ended.then(() => Promise.reject(new Error('the gateway ended'))),
  ]);
  const readyMs = performance.now() - began;
  return {
    url,
    readyMs,
    async [Symbol.asyncDispose]() {
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      if (child.connected) child.disconnect();
      await ended;
      clearTimeout(late);
    },
  };
}

/** From the start of the process, with a built engine, until it answers; its upstream server is in the same process. */
export async function measureStart(n = 5, config: object = {}): Promise<Latency> {
  const took: number[] = [];
  for (let start = 0; start < n; start++) {
    await using gateway = await openGateway(config);
    took.push(gateway.readyMs);
  }
  return { p50: median(took), p95: percentile(took, 0.95), n };
}

/** A program of 30 lines with two tool calls: another one at every call. */
export function measureCold(gateway: Gateway, n = 300, client: LoadClient = 'raw'): Promise<OverHttp> {
  return latency(gateway, n, client, (run) => programOf(unseen() + run));
}

/** The same program again. */
export function measureAgain(gateway: Gateway, n = 600, client: LoadClient = 'raw'): Promise<OverHttp> {
  const program = programOf(unseen());
  return latency(gateway, n, client, () => program);
}

/** Runs of one program in a second, with so many connections at once. Load client and gateway share the machine. */
export async function measureThroughput(gateway: Gateway, concurrency: number, n = 3000, client: LoadClient = 'raw'): Promise<number> {
  const args = { code: programOf(unseen()), input: { repo: 'a/b' } };
  const connections = await Promise.all(Array.from({ length: concurrency }, () => connectTo(gateway.url, client)));
  let left = n / 4;
  const loop = async (connection: Connection): Promise<void> => {
    while (left-- > 0) await connection.execute(args);
  };
  await Promise.all(connections.map(loop));
  left = n;
  const began = performance.now();
  await Promise.all(connections.map(loop));
  const seconds = (performance.now() - began) / 1000;
  for (const connection of connections) await connection.close();
  return n / seconds;
}

let seen = 0;

/** Numbers of programs that nobody has had yet. */
function unseen(): number {
  seen += 1_000_000;
  return seen;
}

interface Connection {
  execute(args: Record<string, unknown>): Promise<StructuredAnswer>;
  close(): void | Promise<void>;
}

async function connectTo(url: string, client: LoadClient): Promise<Connection> {
  if (client === 'raw') return new RawConnection(url);
  const sdk = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await sdk.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    async execute(args) {
      const { structuredContent } = await sdk.callTool({ name: 'execute_code', arguments: args });
      const answer = structuredContent as StructuredAnswer;
      if (answer.status !== 'completed') throw new Error(`a run of the benchmark failed: ${JSON.stringify(answer)}`);
      return answer;
    },
    close: () => sdk.close(),
  };
}

async function latency({ url }: Gateway, n: number, client: LoadClient, program: (run: number) => string): Promise<OverHttp> {
  const connection = await connectTo(url, client);
  const took: number[] = [];
  const phases = new Map<string, number[]>();
  const note = (name: string, ms: number): void => void (phases.get(name) ?? phases.set(name, []).get(name))?.push(ms);
  for (let run = 0; run < n + WARM_UP; run++) {
    const args = { code: program(run), input: { repo: 'a/b' } };
    const began = performance.now();
    const { usage } = await connection.execute(args);
    const total = performance.now() - began;
    if (run < WARM_UP) continue;
    took.push(total);
    for (const [name, ms] of Object.entries(usage.phases)) note(name, ms);
    note('outside', total - insideOf(usage.phases));
  }
  await connection.close();
  return {
    p50: median(took),
    p95: percentile(took, 0.95),
    n,
    phases: Object.fromEntries([...phases].map(([name, figures]) => [name, median(figures)])),
  };
}

/** What the phases come to: the check runs beside bundling and componentizing. */
function insideOf({ check = 0, bundle = 0, component = 0, ...others }: Readonly<Record<string, number>>): number {
  return Math.max(check, bundle + component) + Object.values(others).reduce((sum, ms) => sum + ms, 0);
}
