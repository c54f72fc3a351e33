import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstrumentAnswer } from '../instrument-protocol.ts';
import { descriptors, type ProcessEntry } from '../process-table.ts';
import { filesBelow, type ServerFolder, type ServerUnderTest } from '../server.ts';
import type { Ledger } from './ledger.ts';

/** What a gateway holds at a quiet moment. */
export interface Holding extends InstrumentAnswer {
  readonly descriptors: readonly string[];
  readonly processes: readonly ProcessEntry[];
}

/** A second lane of the checker and a second thread of the parser come and go: so much more is no leak. */
const SPARE_DESCRIPTORS = 12;
const SPARE_TIMERS = 4;
/** A gateway has two heaps since the store of executions has a thread, and what lies in that one is not collected before it is measured. */
const SPARE_RESIDENT_BYTES = 320 * 1024 * 1024;
const SPARE_HEAP_BYTES = 48 * 1024 * 1024;
const IDLE_MS = 12_000;
const POLL_MS = 250;
const END_MS = 10_000;
/** What SQLite and our own writers have beside a file while they are at work on it. */
const HALF_WRITTEN = /\.tmp$|\.new$|-wal$|-shm$|-journal$/;

export async function holdingOf(server: ServerUnderTest): Promise<Holding> {
  const figures = await server.figures();
  return { ...figures, descriptors: descriptors(server.pid), processes: server.processes() };
}

/** Waits until a gateway holds no more than before the load; what it still holds then is a leak. */
export async function checkHolding(name: string, server: ServerUnderTest, before: Holding, ledger: Ledger): Promise<Holding> {
  const end = performance.now() + IDLE_MS;
  for (;;) {
    const now = await holdingOf(server);
    const excess = excessOf(before, now);
    if (excess.length === 0) return now;
    if (performance.now() > end) {
      for (const text of excess) ledger.fault(`The gateway (${name}) is not back to what it held before`, text);
      return now;
    }
    await sleep(POLL_MS);
  }
}

function excessOf(before: Holding, now: Holding): string[] {
  const over = (what: string, from: number, to: number, spare: number): string[] =>
    to <= from + spare ? [] : [`${what}: ${from} before, ${to} now, ${spare} more are no fault`];
  const counts = Object.entries(Object.groupBy(now.descriptors, (to) => to)).map(([to, all]) => `${to} ${all?.length ?? 0}`);
  return [
    ...over('descriptors', before.descriptors.length, now.descriptors.length, SPARE_DESCRIPTORS).map(
      (text) => `${text} (${counts.join(', ')})`,
    ),
    ...over('timers', before.timers, now.timers, SPARE_TIMERS),
    ...over('resident bytes', before.rss, now.rss, SPARE_RESIDENT_BYTES),
    ...over('bytes of heap', before.heapUsed, now.heapUsed, SPARE_HEAP_BYTES),
    ...over('processes', before.processes.length, now.processes.length, 2).map(
      (text) => `${text} (${now.processes.map(({ command }) => command).join(' | ')})`,
    ),
  ];
}

/** Ends a server: with exit code 0, soon, and with nothing left of what it started. */
export async function checkEnd(name: string, server: ServerUnderTest, how: 'SIGTERM' | 'stdin', ledger: Ledger): Promise<void> {
  if (server.hasEnded && !server.child.killed) return ledger.fault(`The gateway (${name}) has ended by itself`, server.log.slice(-1_500));
  const { code, ms, left } = await server.end(how);
  if (code !== 0) ledger.fault(`The gateway (${name}) has ended with code ${code}`, server.log.slice(-1_500));
  if (ms > END_MS) ledger.fault(`The gateway (${name}) took ${Math.round(ms)} ms to end`, '');
  for (const { pid, command } of left) ledger.fault(`A process is left over (${name})`, `${pid}: ${command}`);
  return undefined;
}

/** Nothing temporary and nothing half-written is left once all servers of a folder have ended. */
export async function checkFiles(folder: ServerFolder, ledger: Ledger): Promise<void> {
  for (const file of await halfWritten(folder)) ledger.fault('A temporary or half-written file is left over', file);
}

/** Files that are there only while a server is. */
export async function halfWritten({ temporary, cache }: ServerFolder): Promise<string[]> {
  return [...(await filesBelow(temporary)), ...(await filesBelow(cache)).filter((file) => HALF_WRITTEN.test(file))];
}

/** Each run that was answered has its line in the audit, once. */
export function checkAudit({ cache }: ServerFolder, ledger: Ledger): void {
  const db = new DatabaseSync(join(cache, 'audit.db'), { readOnly: true });
  const lines = db.prepare("SELECT execution, count(*) AS times FROM lines WHERE kind = 'run' GROUP BY execution").all();
  db.close();
  const times = new Map(lines.map(({ execution, times }) => [String(execution), Number(times)]));
  for (const execution of ledger.executions) {
    const found = times.get(execution) ?? 0;
    if (found !== 1) ledger.fault(`A run has ${found} lines in the audit`, execution);
  }
}

/** Every call with an effect that was answered has happened, and none has happened twice. */
export async function checkEffects(file: string, { effects }: Ledger, ledger: Ledger): Promise<void> {
  const happened = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const seen = new Set<string>();
  for (const id of happened) {
    if (seen.has(id)) ledger.fault('A tool call has happened twice', id);
    if (!effects.started.has(id)) ledger.fault('A tool call has happened that nobody asked for', id);
    seen.add(id);
  }
  for (const id of effects.completed) if (!seen.has(id)) ledger.fault('A tool call was answered and has not happened', id);
}
