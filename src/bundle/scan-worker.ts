import { parentPort } from 'node:worker_threads';
import { scan, scanModule } from './scan.ts';
import type { ModuleScan, RegExpPort, ScanRequest, ScanResult } from './scan-result.ts';

// Node says that taking types away is new in it, and would say so on the operator's log.
process.removeAllListeners('warning');
// The parser makes an error for each thing that it reads past, perhaps thousands, and nobody looks at their stacks.
Error.stackTraceLimit = 0;

async function answer(text: string, form: ScanRequest['form']): Promise<ScanResult | ModuleScan | RegExpPort> {
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

// The thread of `scanner.ts`: a parser cannot be interrupted, a thread can.
parentPort?.on('message', (request: ScanRequest) => void tell(request));

async function tell({ text, form }: ScanRequest): Promise<void> {
  const found = await answer(text, form);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(found);
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage('ready');
