import { execFileSync, spawn, type ChildProcess } from 'node:child_process';

/**
 * A disk of a few kilobytes or megabytes, as a file system in memory that only one process and its children see: it is gone with them.
 * That takes a mount namespace, which a system may refuse to people without rights.
 */
export const NO_SMALL_DISK = reasonAgainst();

/** Starts a program with the disk mounted at `folder`. @param size such as "512k" @param steps of shell before the program starts */
export function spawnOnSmallDisk(folder: string, size: string, command: readonly string[], options: SmallDiskOptions = {}): ChildProcess {
  const script = `mount -t tmpfs -o size=${size},mode=700 none "$0" && ${options.before ?? 'true'} && exec "$@"`;
  return spawn('unshare', [...NAMESPACE, 'sh', '-c', script, folder, ...command], {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
}

export interface SmallDiskOptions {
  readonly before?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly ipc?: boolean;
}

const NAMESPACE = process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount'];

function reasonAgainst(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has mount namespaces';
  try {
    const namespace = process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount'];
    execFileSync('unshare', [...namespace, 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt'], { stdio: 'ignore', timeout: 5_000 });
    return undefined;
  } catch {
    return 'this system lets nobody here mount a small disk (unshare --map-root-user --mount)';
  }
}
