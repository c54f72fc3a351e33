import { Worker } from 'node:worker_threads';
import type { Contender, Program } from './contender.ts';
import { hostRun, type FromGuest } from './messages.ts';

const GUEST = new URL('./guest.cjs', import.meta.url);

/** A worker thread for each run: a heap of its own, all of Node's powers. */
export function workerThread(): Promise<Contender> {
  return Promise.resolve({ name: 'fresh worker thread', pace: 'usual', run: runOnce, close: () => Promise.resolve() });
}

async function runOnce(program: Program): Promise<string> {
  const worker = new Worker(GUEST, { env: {}, execArgv: [] });
  try {
    return await hostRun(program, {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      send: (message) => worker.postMessage(message),
      listen: (heard, lost) => {
        worker.on('message', (message: FromGuest) => heard(message));
        worker.once('error', (error) => lost(error as Error));
      },
    });
  } finally {
    await worker.terminate();
  }
}
