import type { ChildProcess } from 'node:child_process';

/** How long each step of ending a process may take, in milliseconds: after its stdin closed, after SIGTERM, after SIGKILL. */
const STEP_MS = { stdin: 1_000, terminate: 1_500, kill: 2_000 } as const;

/** Resolves when the process has ended, or never came to be. */
function processEnd(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (hasEnded(child)) resolve();
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

/**
 * Ends a process that was started with `detached` (so that it leads a process group), and whatever it started itself:
 * launchers such as npx do not always end their own children.
 */
export async function endProcess(child: ChildProcess): Promise<void> {
  const ended = processEnd(child);
  child.stdin?.end();
  if (!(await within(ended, STEP_MS.stdin))) {
    signalGroup(child, 'SIGTERM');
    if (!(await within(ended, STEP_MS.terminate))) {
      signalGroup(child, 'SIGKILL');
      await within(ended, STEP_MS.kill);
    }
  }
  signalGroup(child, 'SIGKILL');
}

/** Sends a signal to the process and all of its group; does nothing when there is none left. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // ESRCH: all of the group has ended, which is what was wanted.
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function within(ended: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([ended.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
