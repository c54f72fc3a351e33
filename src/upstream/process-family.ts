import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

/** The variable by which a server's processes are told from all others: whatever they start inherits it. */
export const FAMILY_VARIABLE = 'AMPOULE_UPSTREAM';
/** A family that goes on to start processes while it is ended is looked for again, so many times. */
const ROUNDS = 10;
/** Once nobody holds its input any more, honest servers get three seconds to end by themselves. The rest is looked for twice. */
const WATCH = `while read -r line; do :; done; sleep 3
for round in 1 2; do for file in /proc/[0-9]*/environ; do
  if grep -q "${FAMILY_VARIABLE}=$1[.]" "$file" 2>/dev/null; then pid=\${file#/proc/}; kill -9 "\${pid%/environ}" 2>/dev/null; fi
done; done`;

/**
 * The processes of all stdio servers of a gateway, and what those have started: also in sessions of their own, or after their parent
 * has ended. On Linux alone; elsewhere process groups have to do. Not against a process that changes its own environment.
 */
export class ProcessFamilies {
  readonly #id = randomUUID();
  #members = 0;
  #watch: ChildProcess | undefined;

  /** A new name for one server's family: the value of {@link FAMILY_VARIABLE}. */
  name(): string {
    if (process.platform === 'linux') this.#watch ??= startWatch(this.#id);
    return `${this.#id}.${++this.#members}`;
  }

  /** Call it when all families have been ended. */
  close(): void {
    this.#watch?.kill('SIGKILL');
  }
}

/** A process that outlives a gateway that was killed, and ends what was left behind. It waits in `read`, and does nothing else. */
function startWatch(id: string): ChildProcess {
  // A session of its own: what ends the gateway from a terminal must not end it too.
  const watch = spawn('/bin/sh', ['-c', WATCH, 'ampoule-watch', id], { env: {}, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell there is no such watch.
  watch.on('error', () => undefined);
  watch.stdin?.on('error', () => undefined);
  watch.unref();
  return watch;
}

/** Kills all processes of a family that still run. Never throws. */
export async function endFamily(name: string): Promise<void> {
  if (process.platform !== 'linux') return;
  for (let round = 0; round < ROUNDS; round++) {
    const pids = await membersOf(name);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

async function membersOf(name: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const entry = `\0${FAMILY_VARIABLE}=${name}\0`;
  const found = names
    .filter((pid) => /^\d+$/.test(pid))
    .map(async (pid) => ((await environmentOf(pid)).includes(entry) ? [Number(pid)] : []));
  return (await Promise.all(found)).flat();
}

/** Empty for one that has ended, or is another user's. */
async function environmentOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return `\0${text}\0`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it has ended, which is what was wanted.
  }
}
