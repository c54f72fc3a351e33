import { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isMainThread, type Worker } from 'node:worker_threads';
import type { InstrumentAnswer, InstrumentQuestion } from './instrument-protocol.ts';

// Loaded with `node --import` into the processes of a server under test, before anything of the product. The product knows nothing
// of it: it is how threads are ended from outside, which no operating system lets another process do, and how timers and heap are
// counted. In the gateway it speaks over the channel to the process that started it; in the executor it obeys a signal.

const ENTRY = /[/\\]execute[/\\]executor\.[jt]s$/;
const HERE = fileURLToPath(import.meta.url);
const workers = new Set<Worker>();

if (isMainThread) {
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
  if (process.argv.some((argument) => ENTRY.test(argument))) process.on('SIGUSR2', endWorker);
  else instrumentGateway();
}

/** Ends one thread in the middle of whatever it does, as a crash of it would. */
function endWorker(): void {
  const all = [...workers];
  const worker = all[Math.floor(Math.random() * all.length)];
  void worker?.terminate();
}

function instrumentGateway(): void {
  instrumentExecutors();
  process.on('message', (question: InstrumentQuestion) => {
    globalThis.gc?.();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ id: question.id, timers, rss, heapUsed, external } satisfies InstrumentAnswer);
  });
  // Whoever started it is gone, and with it who would end it.
  process.on('disconnect', () => process.exit(1));
  // The channel must keep nothing alive that would have ended without it.
  process.channel?.unref();
}

/** Has this file loaded into each executor too, whatever else it is started with. */
function instrumentExecutors(): void {
  type Spawn = (this: ChildProcess, options: { args?: string[] }) => unknown;
  const prototype = ChildProcess.prototype as unknown as { spawn: Spawn };
  const { spawn } = prototype;
  prototype.spawn = function instrumented(options) {
    const at = options.args?.findIndex((argument) => ENTRY.test(argument)) ?? -1;
    if (at < 0) return spawn.call(this, options);
    const isConfined = options.args?.some((argument) => /^--(?:experimental-)?permission$/.test(argument));
    const more = ['--import', HERE, ...(isConfined ? [`--allow-fs-read=${HERE}`] : [])];
    return spawn.call(this, { ...options, args: options.args?.toSpliced(at, 0, ...more) ?? [] });
  };
}
