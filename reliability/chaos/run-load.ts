import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Random } from '../random.ts';
import { makeServerFolder, ServerUnderTest, type ServerFolder } from '../server.ts';
import { StdioClient } from '../stdio-client.ts';
import { carryOn } from './carried-on.ts';
import { checkAudit, checkEffects, checkEnd, checkFiles, checkHolding, holdingOf, type Holding } from './checks.ts';
import { ChaosClient } from './client.ts';
import { beginCounter, readCounter } from './counters.ts';
import { arithmetic, bundled, large, manyTools } from './good-programs.ts';
import { killAtRandom } from './killer.ts';
import type { Ledger } from './ledger.ts';
import { type Load, LoadClient, workOverStdio } from './load.ts';
import { shutDownUnderLoad } from './shut-down.ts';
import { gives, type Maker } from './task.ts';
import { WebUpstream } from './web-upstream.ts';

const STDIO_UPSTREAM = fileURLToPath(new URL('../upstream/over-stdio.ts', import.meta.url));
const CLIENTS = 10;
const STDIO_LANES = 3;
const TICK_MS = 1_000;
/** Upstream servers are tried again with growing pauses: so long after the last kill all have to be back. */
const RECOVERY_MS = 20_000;

export interface LoadOptions {
  readonly ms: number;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly onTick: (text: string) => void;
}

/** What the gateway held before and after. */
export interface LoadReport {
  readonly before: Holding;
  readonly after: Holding;
  readonly log: string;
}

/** Load and kills together for some time, and then everything that has to hold. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { ledger } = options;
  await using started = new AsyncDisposableStack();
  const { folder, effects, web } = await openFolder(started, options.random.fork('config'));
  const server = new ServerUnderTest(folder, 'http');
  started.defer(() => void server.child.kill('SIGKILL'));
  await server.ready();
  const piped = new ServerUnderTest(folder, 'stdio');
  started.defer(() => void piped.child.kill('SIGKILL'));
  const stdio = new StdioClient(piped.child);
  await stdio.open();
  const load = loadOf(options, server.url);
  await warmUp(load);
  const [before, beforePiped] = await Promise.all([holdingOf(server), holdingOf(piped)]);
  await storm(options, load, { server, piped, stdio, web });
  await recover(load, [server, piped]);
  const after = await checkHolding('HTTP', server, before, ledger);
  await checkHolding('stdio', piped, beforePiped, ledger);
  for (const id of stdio.answeredTwice()) ledger.fault('A request over stdio was answered twice', String(id));
  for (const line of stdio.strange) ledger.fault('stdout has a line that is no message', line);
  const letGo = server.hasEnded ? undefined : await shutDownUnderLoad(server, options.random.fork('end'), ledger);
  await checkEnd('HTTP', server, 'SIGTERM', ledger);
  await checkEnd('stdio', piped, 'stdin', ledger);
  if (letGo) await carryOn(folder, letGo, ledger);
  await checkFiles(folder, ledger);
  checkAudit(folder, ledger);
  await checkEffects(effects, ledger, ledger);
  return { before, after, log: server.log };
}

async function openFolder(
  started: AsyncDisposableStack,
  random: Random,
): Promise<{ folder: ServerFolder; effects: string; web: WebUpstream }> {
  const folder = started.use(await makeServerFolder({}));
  const effects = join(folder.path, 'effects');
  await writeFile(effects, '');
  const web = started.use(await WebUpstream.open(effects));
  const upstream = { command: process.execPath, args: [STDIO_UPSTREAM, effects] };
  const config = {
    ...(JSON.parse(await readFile(join(folder.path, 'ampoule.json'), 'utf8')) as object),
    workers: 2,
    executors: random.pick([1, 2]),
    skills: 'on',
    mcpServers: { one: upstream, two: upstream, web: { url: web.url } },
    policies: { servers: { two: { tools: { danger: { policy: 'ask' } } } } },
    limits: { maxKeptBytes: 32 * 1024 * 1024, maxCacheBytes: 64 * 1024 * 1024 },
  };
  await writeFile(join(folder.path, 'ampoule.json'), JSON.stringify(config));
  return { folder, effects, web };
}

function loadOf({ ms, random, ledger }: LoadOptions, url: string): Load {
  let count = 1_000_000;
  const end = performance.now() + ms;
  return { url, ledger, random, counters: [], shared: {}, fresh: () => ++count, isOver: () => performance.now() > end };
}

/** One of each kind, without kills: all that is made once is made before anything is counted. */
async function warmUp(load: Load): Promise<void> {
  const clients = Array.from({ length: 4 }, (_, number) => new LoadClient(load, 1_000 + number));
  for (const of of clients) {
    of.client.weather = 'quiet';
    await of.client.open();
  }
  const [first] = clients as [LoadClient];
  await first.client.run(beginCounter('each', (counter) => (load.shared.each = counter.handle)));
  await first.client.run(beginCounter('one', (counter) => load.counters.push((load.shared.one = counter))));
  for (let round = 0; round < 3; round++) {
    await Promise.all(clients.flatMap((of) => [arithmetic, bundled, manyTools].map((make) => of.client.run(make(of)))));
    await first.client.run(large(first));
  }
  await first.skill();
  for (const of of clients) of.client.close();
}

interface Cast {
  readonly server: ServerUnderTest;
  readonly piped: ServerUnderTest;
  readonly stdio: StdioClient;
  readonly web: WebUpstream;
}

async function storm({ ms, random, ledger, onTick }: LoadOptions, load: Load, { server, piped, stdio, web }: Cast): Promise<void> {
  const end = performance.now() + ms;
  const during: Load = { ...load, isOver: () => performance.now() > end || server.hasEnded };
  const timer = setInterval(() => {
    const left = Math.max(0, Math.round((end - performance.now()) / 1_000));
    onTick(`${ledger.requests.toLocaleString('en')} requests, ${ledger.killCount} kills, ${ledger.faultCount} faults, ${left} s left`);
  }, TICK_MS);
  try {
    await Promise.all([
      ...Array.from({ length: CLIENTS }, (_, number) => new LoadClient(during, number).work()),
      workOverStdio(during, stdio, STDIO_LANES),
      killAtRandom({ servers: [server, server, piped], web }, random.fork('kills'), ledger, during.isOver),
    ]);
  } finally {
    clearInterval(timer);
  }
}

/** Once nothing is ended any more: all servers come back, good programs work without exception, and every state is what it has to be. */
async function recover(load: Load, servers: readonly ServerUnderTest[]): Promise<void> {
  if (servers.some(({ hasEnded }) => hasEnded)) return;
  const client = new ChaosClient(load.url, '2026-07-28', load.ledger);
  client.weather = 'quiet';
  const maker: Maker = { random: load.random.fork('quiet'), fresh: load.fresh };
  await untilAllServers(client, load.ledger);
  for (const make of [arithmetic, bundled, large]) await client.run(make(maker));
  for (const counter of load.counters) await client.run(readCounter(counter));
  for (const name of ['one', 'two', 'web']) {
    const code = `import { echo } from "servers/${name}"; return (await echo({ value: "back" })).value;`;
    await client.run({ kind: 'tool call at the end', arguments: { code }, judge: gives('back') });
  }
  client.close();
  await sleep(100);
}

async function untilAllServers(client: ChaosClient, ledger: Ledger): Promise<void> {
  const end = performance.now() + RECOVERY_MS;
  const code = `import { echo as a } from "servers/one"; import { echo as b } from "servers/two"; import { echo as c } from "servers/web";
const all = await Promise.allSettled([a({ value: 1 }), b({ value: 2 }), c({ value: 3 })]);
return all.map((one) => one.status === "fulfilled" ? "ok" : one.reason.code);`;
  let last: unknown;
  while (performance.now() < end) {
    const output = await client.run({ kind: 'recovery', arguments: { code }, judge: () => undefined });
    last = output?.result;
    if (JSON.stringify(last) === '["ok","ok","ok"]') return;
    await sleep(250);
  }
  ledger.fault(`Upstream servers are not back ${RECOVERY_MS / 1_000} s after the last kill`, JSON.stringify(last));
}
