import { parentPort } from 'node:worker_threads';
import { scan, scanModule } from './scan.ts';
import type { Found, ScanRequest } from './scan-result.ts';

// The parser makes an error for each thing that it reads past, perhaps thousands, and nobody looks at their stacks.
Error.stackTraceLimit = 0;

async function answer({ text, form }: ScanRequest): Promise<Found> {
  switch (form) {
    case 'program':
      return scan(text);
    case 'module':
      return scanModule(text);
    case 'script':
      // The tables of Unicode take a while to load, and hardly a program needs them.
      return (await import('./port-regexps.ts')).portRegExps(text);
  }
}

// The thread of `scan-process.ts`: a parser cannot be interrupted, and who runs it hears nothing meanwhile.
parentPort?.on('message', (request: ScanRequest) => void tell(request));

async function tell(request: ScanRequest): Promise<void> {
  const found = await answer(request);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(found);
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage('ready');
