import { execFileSync } from 'node:child_process';

/** Takes a parser for ever: what an angle bracket begins depends on the last character, and so for each of them. */
export function endlessText(): string {
  return 'f<(f<('.repeat(500);
}

/** Process ids of the parsers of a process. */
export function parsersOf(parent = process.pid): number[] {
  const table = execFileSync('ps', ['-o', 'pid=,stat=,args=', '--ppid', String(parent)], { encoding: 'utf8' });
  return table.split('\n').flatMap((row) => (/scan-process\.[jt]s/.test(row) && !/^ *\d+ Z/.test(row) ? [Number.parseInt(row, 10)] : []));
}
