import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { RawConnection } from '../raw-connection.ts';
import type { Findings, Point } from '../result.ts';
import { residentTreeMb } from './resident-memory.ts';
import { ends, figure, lineThrough } from './trend.ts';

const SLEEPING = { full: [0, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000], quick: [0, 500, 1_000] };
const CONNECTIONS = 32;
const START_MS = 60_000;
const END_MS = 60_000;
/** The last timers are over after three seconds, and their runs put away two later; what their instances have held goes with the next collections. */
const SETTLE_MS = 8_000;
const SETTLED_MS = 15_000;
const LOOK_MS = 1_500;
const CONFIG = { workers: 2, limits: { maxWaitingRuns: 20_000, waitMs: 86_400_000 } };
/** One half waits for a tool, the other for a timer and then for the tool: both hold what they have read. */
const CODE = `import { searchIssues } from "servers/tracker"; import { sleep } from "ampoule";
const held = Array.from({ length: 50 }, (_, i) => ({ id: i, text: "issue " + i + " of " + input.n }));
if (input.n % 2) await sleep(3_000);
const { repo } = await searchIssues({ repo: "repo-" + input.n }) as unknown as { repo: string };
return repo + "/" + held.length;`;

/**
 * Resident memory of all processes of a server, by how many of its runs are put away. Then the server is killed, and in the end each run has to give its
 * own result to the next one.
 */
export const sleepingRuns: Part = {
  name: 'sleeping',
  about: 'curve: resident memory with up to 10,000 runs that are put away; the server is killed, and each is woken and right in the end',
  async measure(bench) {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'ampoule-bench-'));
    await using servers = new AsyncDisposableStack();
    const gateway = servers.use(await openSleepingGateway(folder.path));
    const runs = new SleepingRuns(gateway);
    const points: Point[] = [];
    for (const x of SLEEPING[bench.quick ? 'quick' : 'full']) {
      bench.step(`${x} put away`);
      await runs.grow(x);
      const y = await settledMb(gateway.child.pid ?? 0);
      if (y === undefined) return { notes: ['Memory of sleeping runs is not measured: this system has no /proc.'] };
      points.push({ x, y });
    }
    bench.step('killing the server');
    await kill(gateway.child);
    const killed = performance.now();
    const next = servers.use(await openSleepingGateway(folder.path));
    const restartMs = performance.now() - killed;
    const restartedMb = (await settledMb(next.child.pid ?? 0)) ?? Number.NaN;
    bench.step('waking all of them');
    const began = performance.now();
    const wrong = await runs.wakeAll(next);
    return findings(points, { wrong, wakeSeconds: (performance.now() - began) / 1_000, restartMs, restartedMb });
  },
};

/** Resident memory once it has stopped shrinking, or the patience is over. */
async function settledMb(pid: number): Promise<number | undefined> {
  await sleep(SETTLE_MS);
  const end = performance.now() + SETTLED_MS;
  let last = await residentTreeMb(pid);
  while (last !== undefined && performance.now() < end) {
    await sleep(LOOK_MS);
    const now = (await residentTreeMb(pid)) ?? last;
    if (now > last * 0.98) return now;
    last = now;
  }
  return last;
}

interface SleepingGateway extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
}

async function openSleepingGateway(folder: string): Promise<SleepingGateway> {
  const child = fork(new URL('../sleeping-gateway.ts', import.meta.url), [JSON.stringify(CONFIG), folder], { env: {} });
  const ended = once(child, 'exit');
  const url = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_MS) }).then(([message]) => (message as { url: string }).url),
    ended.then(() => Promise.reject(new Error('the gateway ended'))),
  ]);
  return {
    child,
    url,
    async [Symbol.asyncDispose]() {
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      if (child.connected) child.disconnect();
      await ended;
      clearTimeout(late);
    },
  };
}

interface SleepingAnswer {
  readonly status: string;
  readonly executionId: string;
  readonly result?: unknown;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

class SleepingRuns {
  #gateway: SleepingGateway;
  readonly #ids: string[] = [];

  constructor(gateway: SleepingGateway) {
    this.#gateway = gateway;
  }

  /** Begins runs until there are so many; each is answered long before it is put away. */
  async grow(count: number): Promise<void> {
    const begin = async (connection: RawConnection): Promise<void> => {
      while (this.#ids.length < count) {
        const n = this.#ids.push('') - 1;
        const args = { code: CODE, input: { n }, answerAfterMs: 20 };
        const { status, executionId } = (await connection.call('execute_code', args)) as unknown as SleepingAnswer;
        if (status !== 'waiting') throw new Error(`run ${n} of the benchmark is ${status}`);
        this.#ids[n] = executionId;
      }
    };
    await this.#onConnections(begin);
  }

  /** Has all calls answered by the gateway that carries on with them. @returns how many runs did not give their own result */
  async wakeAll(gateway: SleepingGateway): Promise<number> {
    this.#gateway = gateway;
    gateway.child.send('release');
    let [next, wrong] = [0, 0];
    const ask = async (connection: RawConnection): Promise<void> => {
      while (next < this.#ids.length) {
        const n = next++;
        const args = { executionId: this.#ids[n], timeoutMs: 120_000 };
        const { status, result } = (await connection.call('wait_execution', args)) as unknown as SleepingAnswer;
        if (status !== 'completed' || result !== `repo-${n}/50`) wrong++;
      }
    };
    await this.#onConnections(ask);
    return wrong;
  }

  /** New ones each time: the server ends those that nothing comes over for a while. */
  async #onConnections(work: (connection: RawConnection) => Promise<void>): Promise<void> {
    const connections = Array.from({ length: CONNECTIONS }, () => new RawConnection(this.#gateway.url));
    await Promise.all(connections.map(work)).finally(() => connections.forEach((connection) => connection.close()));
  }
}

interface AfterKill {
  readonly wrong: number;
  readonly wakeSeconds: number;
  readonly restartMs: number;
  readonly restartedMb: number;
}

function findings(points: readonly Point[], { wrong, wakeSeconds, restartMs, restartedMb }: AfterKill): Findings {
  const { start, slope } = lineThrough(points);
  const { first, last } = ends(points);
  const count = last.x.toLocaleString('en');
  const kilobytes = figure(slope * 1_000);
  return {
    rows: [
      { id: 'sleeping-memory', name: `resident memory of the whole server with ${count} runs put away`, unit: 'MB', value: last.y },
      {
        id: 'sleeping-restart',
        name: `start of the server over ${count} runs put away, from its command to ready`,
        unit: 'ms',
        value: restartMs,
      },
      {
        id: 'sleeping-restarted-memory',
        name: `resident memory of a server that was started over ${count} runs`,
        unit: 'MB',
        value: restartedMb,
      },
      { id: 'sleeping-wrong', name: `runs of ${count} that were woken after a SIGKILL and not right`, unit: 'count', value: wrong },
    ],
    curves: [
      {
        id: 'sleeping',
        title: 'Resident memory of all processes of a server, by how many runs are put away',
        x: { label: 'runs put away', unit: '', scale: 'linear' },
        y: { label: 'resident memory', unit: 'MB', scale: 'linear' },
        series: [{ name: 'gateway and its processes', points }],
        sentence: `From ${first.x} to ${count} runs memory grows from ${figure(first.y)} to ${figure(last.y)} MB: ${kilobytes} kB for each, from ${figure(start)} MB; after a SIGKILL all were woken in ${figure(wakeSeconds)} s, and ${wrong === 0 ? 'each was right' : `${wrong} were wrong`}.`,
      },
    ],
  };
}
