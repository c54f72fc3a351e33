import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every living process below `root`, from the process table. */
export function descendants(root: number): ProcessEntry[] {
  const all = parents();
  const below = new Set([root]);
  // Parents can come after their children in the table: as many passes as there are levels.
  for (let size = 0; size !== below.size;) {
    size = below.size;
    for (const [pid, parent] of all) if (below.has(parent)) below.add(pid);
  }
  below.delete(root);
  return [...all.keys()].filter((pid) => below.has(pid)).flatMap(readProcess);
}

/** Every process and its parent. What else there is to read of one is not worth it for all of the machine. */
function parents(): Map<number, number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(pids.flatMap((name) => readParent(Number(name))));
}

function readParent(pid: number): [number, number][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in brackets and may hold anything, brackets too.
    const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2);
    return [[pid, Number(parent)]];
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function readProcess(pid: number): ProcessEntry[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in brackets and may hold anything, brackets too.
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return [];
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return [{ pid, parent: Number(parent), command }];
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** Those of `pids` that still run. */
export function living(pids: readonly number[]): number[] {
  return pids.filter((pid) => readProcess(pid).length > 0);
}

/** Waits until something holds. The bound is wide: it is only there so that a failing test ends. Looking takes a fifth of the time at most. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    const looked = performance.now();
    if (await holds()) return;
    if (performance.now() > end) throw new Error(`${what}: not so after ${ms} ms`);
    await sleep(Math.max(20, Math.min(200, 4 * (performance.now() - looked))));
  }
}
