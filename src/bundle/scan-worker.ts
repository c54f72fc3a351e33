import { parentPort } from 'node:worker_threads';
import { scan } from './scan.ts';

// Node says that taking types away is new in it, and would say so on the operator's log.
process.removeAllListeners('warning');

// The thread of `scanner.ts`: a parser cannot be interrupted, a thread can.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.on('message', (text: string) => parentPort?.postMessage(scan(text)));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage('ready');
