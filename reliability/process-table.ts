import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process as the system shows it. `began` tells it from a later one of the same number. */
export interface ProcessEntry {
  readonly pid: number;
  readonly began: string;
  readonly command: string;
}

/** All processes below one, by the lists of children that the kernel keeps for each thread. */
export function descendants(root: number): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const pid of childrenOf(root)) {
    const entry = readProcess(pid);
    if (entry) found.push(entry);
    found.push(...descendants(pid));
  }
  return found;
}

/** Those of `entries` that still run. */
export function living(entries: Iterable<ProcessEntry>): ProcessEntry[] {
  return [...entries].filter(({ pid, began }) => readProcess(pid)?.began === began);
}

/** Resident memory in bytes; 0 for a process that is not there. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** What the open descriptors of a process lead to, without the numbers that differ from one to the next: `socket`, `pipe`, a path. */
export function descriptors(pid: number): string[] {
  return list(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]$/, '')];
    } catch {
      return [];
    }
  });
}

function childrenOf(pid: number): number[] {
  const lists = list(`/proc/${pid}/task`).map((thread) => read(`/proc/${pid}/task/${thread}/children`));
  return lists
    .flatMap((text) => text.trim().split(' '))
    .filter(Boolean)
    .map(Number);
}

function readProcess(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The command's name is in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  if (stat === '' || state === 'Z' || state === 'X') return undefined;
  return { pid, began: fields[19] ?? '', command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() };
}

/** A process may end between any two looks at it. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
