import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { OpenSandbox } from '../../src/open-sandbox.ts';
import { TWO_CALLS_RUN } from '../measures/control.ts';
import { runProgram } from '../run-program.ts';
import type { Part } from '../part.ts';
import type { Findings, Point } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { residentMb } from './resident-memory.ts';
import { ends, figure, lineThrough } from './trend.ts';

const WAITING = { full: [1, 10, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000], quick: [1, 100, 300, 600, 1_000] };
const SETTLE_MS = 300;
const CONFIG = { check: 'off', workers: 4, limits: { maxRunsPerWorker: 512, maxQueuedRuns: 1_024 } };

export const waitingRuns: Part = {
  name: 'memory',
  about: 'curve: resident memory with 1 to 1,000 runs that wait for a tool',
  async measure(bench) {
    await using sandbox = await openBenchSandbox(bench, { config: CONFIG });
    for (let i = 0; i < 50; i += 1) await runProgram(sandbox, TWO_CALLS_RUN);
    const waiting = new Waiting(sandbox);
    const points: Point[] = [];
    try {
      for (const x of WAITING[bench.quick ? 'quick' : 'full']) {
        bench.step(`${x} waiting`);
        await waiting.grow(x);
        await sleep(SETTLE_MS);
        const y = await residentMb(sandbox.executor.pid ?? 0);
        if (y === undefined) return { notes: ['Memory of waiting runs is not measured: this system has no /proc.'] };
        points.push({ x, y });
      }
    } finally {
      await waiting.end();
    }
    return findings(points, waiting.refused);
  },
};

/** Runs that wait for the answer to a tool call, which never comes. */
class Waiting {
  readonly #sandbox: OpenSandbox;
  readonly #stop = new AbortController();
  readonly #runs: Promise<unknown>[] = [];
  #calls = 0;
  refused = 0;

  constructor(sandbox: OpenSandbox) {
    this.#sandbox = sandbox;
  }

  /** Begins runs until there are so many, each with both of its calls made. */
  async grow(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onCall = (): Promise<ToolAnswer> => {
      this.#calls += 1;
      if (this.#calls === 2 * (count - this.refused)) resolve();
      return Promise.withResolvers<ToolAnswer>().promise;
    };
    while (this.#runs.length < count) {
      const run = runProgram(this.#sandbox, { ...TWO_CALLS_RUN, onCall, signal: this.#stop.signal });
      this.#runs.push(run.catch(() => void (this.refused += this.#stop.signal.aborted ? 0 : 1)));
    }
    await Promise.race([promise, sleep(20_000)]);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#runs);
  }
}

function findings(points: readonly Point[], refused: number): Findings {
  const { start, slope, fit } = lineThrough(points);
  const { first, last } = ends(points);
  const linear =
    fit > 0.98
      ? `on a straight line (${(fit * 100).toFixed(1)} % of the variance)`
      : `not on a straight line (only ${(fit * 100).toFixed(1)} % of the variance)`;
  return {
    rows: [
      { id: 'memory-waiting', name: 'resident memory per waiting run', unit: 'MB', value: slope },
      { id: 'memory-refused', name: `runs refused of ${last.x.toLocaleString('en')} waiting`, unit: 'count', value: refused },
      { id: 'memory-linear', name: 'variance of the memory curve that a line does not explain', unit: '%', value: (1 - fit) * 100 },
    ],
    curves: [
      {
        id: 'memory',
        title: 'Resident memory of the executor, by how many runs wait',
        x: { label: 'waiting runs', unit: '', scale: 'linear' },
        y: { label: 'resident memory', unit: 'MB', scale: 'linear' },
        series: [{ name: 'executor process', points }],
        sentence: `From ${first.x} to ${last.x.toLocaleString('en')} waiting runs memory grows ${linear}: ${figure(slope)} MB for each, from ${figure(start)} MB with none; ${refused === 0 ? 'none was refused' : `${refused} were refused`}.`,
      },
    ],
  };
}
