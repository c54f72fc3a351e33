import { readdir, readFile } from 'node:fs/promises';

/** Resident memory of a process in MB, or undefined where the system does not tell. */
export async function residentMb(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_000;
}

/** Resident memory of a process and of all that it has started, in MB; pages that they share are counted for each. Undefined as above. */
export async function residentTreeMb(pid: number): Promise<number | undefined> {
  const own = await residentMb(pid);
  if (own === undefined) return undefined;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')));
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean));
  const others = await Promise.all(children.map((child) => residentTreeMb(Number(child))));
  return others.reduce<number>((sum, other) => sum + (other ?? 0), own);
}
