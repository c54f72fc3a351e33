import { Worker } from 'node:worker_threads';
import type { ScanRequest } from './scan-result.ts';

const MAX_HEAP_MB = 512;
/** How deep a text may be nested before the parser gives up follows from it, on every machine alike. */
const STACK_MB = 4;
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js', import.meta.url);

// The process in which agents' texts are parsed. The parser has a thread: this one is free to hear that the gateway is gone.
const worker = new Worker(ENTRY, {
  env: {},
  // It may read what this process may, and start no thread.
  execArgv: process.execArgv.filter((flag) => flag === '--permission' || flag.startsWith('--allow-fs-read=')),
  resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, stackSizeMb: STACK_MB },
});
worker.on('message', (message) => process.send?.(message));
// Out of memory, as a rule. In one large step past its limit a thread takes this whole process along, which comes to the same.
worker.on('error', () => undefined);
worker.on('exit', end);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
process.on('message', (request: ScanRequest) => worker.postMessage(request));
process.on('disconnect', end);

/** At once, also in the middle of a text. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
