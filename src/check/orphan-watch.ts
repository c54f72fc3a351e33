import { type ChildProcess, spawn } from 'node:child_process';

/** Each line is all that runs now. When there are no more lines its writer has ended, and the processes of the last one with it. */
const WATCH = 'while read -r pids; do last=$pids; done; [ -z "$last" ] || kill -9 $last';

/**
 * Ends the checkers of a process that was killed. A checker ends when its standard input does, unless it waits for an answer of ours just then: it would
 * wait for ever. So a shell that waits for the end of ours knows their numbers; there is one while there is a checker.
 */
export class OrphanWatch {
  readonly #pids = new Set<number>();
  #shell: ChildProcess | undefined;

  /** A checker runs. */
  add(pid: number): void {
    this.#pids.add(pid);
    this.#shell ??= startShell();
    this.#tell();
  }

  /** It has ended. */
  remove(pid: number): void {
    this.#pids.delete(pid);
    if (this.#pids.size > 0) return this.#tell();
    this.#shell?.kill('SIGKILL');
    this.#shell = undefined;
  }

  #tell(): void {
    this.#shell?.stdin?.write(`${[...this.#pids].join(' ')}\n`);
  }
}

function startShell(): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  // A session of its own: what ends us from a terminal must not end it too.
  const shell = spawn('/bin/sh', ['-c', WATCH, 'ampoule-check-watch'], { env: {}, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell there is no such watch.
  shell.on('error', () => undefined);
  shell.stdin?.on('error', () => undefined);
  shell.unref();
  (shell.stdin as { unref?: () => void } | null)?.unref?.();
  return shell;
}
