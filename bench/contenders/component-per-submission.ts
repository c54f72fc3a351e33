import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender, Program } from './contender.ts';
import type { FromGuest } from './messages.ts';

const GUEST = fileURLToPath(new URL('./component-process.ts', import.meta.url));
const BOUND_MS = 600_000;

/**
 * The classic way: componentize-js makes a component of each submission, jco transpiles it, the result is run once. In a process of its own,
 * which is started ahead, because componentize-js blocks its thread.
 */
export async function componentPerSubmission(): Promise<Contender> {
  const child = fork(GUEST, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], timeout: BOUND_MS });
  const first = await next(child, () => undefined);
  if (!('ready' in first)) throw new Error('the process for componentize-js did not start');
  return {
    name: 'componentize-js and jco, each time',
    pace: 'few',
    run: async (program: Program) => {
      const message = await next(child, () => child.send(program));
      if ('result' in message) return message.result;
      throw new Error('failed' in message ? message.failed : 'an unexpected message');
    },
    close: () => {
      child.kill('SIGKILL');
      return Promise.resolve();
    },
  };
}

function next(child: ChildProcess, begin: () => void): Promise<FromGuest> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error('the process for componentize-js ended'));
    child.once('exit', lost);
    child.once('message', (message: FromGuest) => {
      child.off('exit', lost);
      resolve(message);
    });
    begin();
  });
}
