import { parentPort, workerData } from 'node:worker_threads';
import type { StoreBatch, StoreThreadOptions } from './store-protocol.ts';
import { StoreThread } from './store-thread.ts';

// The thread that has the database of executions: a checkpoint that waits for the disk holds up nobody but who waits for the disk anyway.
const port = parentPort;
if (port === null) throw new Error('it is no program of its own');
const thread = new StoreThread(workerData as StoreThreadOptions, (news) => {
  const buffers = news.replies.flatMap((reply) =>
    reply.ok && reply.value instanceof Uint8Array ? [reply.value.buffer as ArrayBuffer] : [],
  );
  port.postMessage(news, buffers);
});
port.on('message', (batch: StoreBatch) => thread.receive(batch));
