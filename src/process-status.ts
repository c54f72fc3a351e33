import { readFile } from 'node:fs/promises';

const PAGE_BYTES = 4096;
/** Memory of a process that is in use. Undefined where the system has no `/proc`, or the process is gone. */
export async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  try {
    const pages = Number((await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : undefined;
  } catch {
    return undefined;
  }
}

/** What the first thread of a process does. */
export interface ThreadStatus {
  /** As in `ps`: R runs or could, S sleeps, D waits for a disk, T is stopped, Z has ended. */
  readonly state: string;
  /** Processor time since it began, in milliseconds. */
  readonly cpuMs: number;
}

/** Undefined where the system has no `/proc`, or the process is gone. */
export async function mainThreadStatus(pid: number | undefined): Promise<ThreadStatus | undefined> {
  const folder = `/proc/${pid}/task/${pid}`;
  try {
    const [stat, times] = await Promise.all([readFile(`${folder}/stat`, 'latin1'), readFile(`${folder}/schedstat`, 'latin1')]);
    const [nanoseconds = ''] = times.split(' ');
    return { state: stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '', cpuMs: Number(nanoseconds) / 1e6 };
  } catch {
    return undefined;
  }
}
