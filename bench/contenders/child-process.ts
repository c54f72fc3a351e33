import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender, Program } from './contender.ts';
import { hostRun, type FromGuest } from './messages.ts';

const GUEST = fileURLToPath(new URL('./guest.cjs', import.meta.url));
const BOUND_MS = 60_000;

/** A Node process for each run. It isolates memory; what the program may do is not limited at all. */
export function childProcess(): Promise<Contender> {
  return Promise.resolve({ name: 'fresh Node process', pace: 'usual', run: runOnce, close: () => Promise.resolve() });
}

async function runOnce(program: Program): Promise<string> {
  const child = fork(GUEST, [], { env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], timeout: BOUND_MS });
  try {
    return await hostRun(program, {
      send: (message) => void child.send(message),
      listen: (heard, lost) => {
        child.on('message', (message: FromGuest) => heard(message));
        child.once('error', lost);
        child.once('exit', (code) => lost(new Error(`the process ended with ${code}`)));
      },
    });
  } finally {
    child.kill('SIGKILL');
  }
}
