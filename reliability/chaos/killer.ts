import { setTimeout as sleep } from 'node:timers/promises';
import { living, type ProcessEntry } from '../process-table.ts';
import type { Random } from '../random.ts';
import type { ServerUnderTest } from '../server.ts';
import type { Ledger } from './ledger.ts';
import type { WebUpstream } from './web-upstream.ts';

/** What is ended, and how its process is known among those below a server. */
const PROCESSES: Readonly<Record<string, RegExp>> = {
  executor: /executor.executor\.[jt]s/,
  checker: /\btsc\b.* --api/,
  bundler: /\besbuild\b/,
  parser: /scan-process\.[jt]s/,
  'stdio upstream': /over-stdio\.ts/,
};
const FROZEN = 'frozen ';
/** As soon as it is back. */
const AGAIN = 'executor, again and again';
export const KILLS = [
  ...Object.keys(PROCESSES),
  ...Object.keys(PROCESSES).map((name) => FROZEN + name),
  'worker thread',
  'HTTP upstream',
  AGAIN,
] as const;
/** Threads end often and cheaply; an executor takes all runs of its server with it. */
const WEIGHTS: Readonly<Record<string, number>> = { executor: 1, 'executor, again and again': 1, 'worker thread': 4 };
const DECK = KILLS.flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 2 }, () => name));
const LONGEST_PAUSE_MS = 700;
const LONGEST_AGAIN_MS = 2_500;
const LEAST_FROZEN_MS = 500;
const MORE_FROZEN_MS = 3_000;

export interface Victims {
  readonly servers: readonly ServerUnderTest[];
  readonly web: WebUpstream;
}

/** Ends something at random, again and again, until it is over. */
export async function killAtRandom({ servers, web }: Victims, random: Random, ledger: Ledger, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(random.below(LONGEST_PAUSE_MS));
    const what = random.pick(DECK);
    const server = random.pick(servers);
    if (isOver()) return;
    if (what === AGAIN) await killAgain(server, random, ledger, isOver);
    else if (killOne(what, server, web, random)) ledger.kill(what);
  }
}

/** The executor, and each one that takes its place, for some time: what makes the server wait longer and longer before it starts another. */
async function killAgain(server: ServerUnderTest, random: Random, ledger: Ledger, isOver: () => boolean): Promise<void> {
  const end = performance.now() + random.below(LONGEST_AGAIN_MS);
  while (performance.now() < end && !isOver()) {
    if (killOne('executor', server, undefined, random)) ledger.kill(AGAIN);
    await sleep(20);
  }
}

/** Ends one of what there is to be ended. @returns whether there was one */
export function killOne(what: string, server: ServerUnderTest, web: WebUpstream | undefined, random: Random): boolean {
  const processes = server.processes();
  switch (what) {
    case 'worker thread':
      return signal(pickOf(processes, PROCESSES['executor'], random), 'SIGUSR2');
    case 'HTTP upstream':
      return web?.kill() ?? false;
    default:
      if (what.startsWith(FROZEN)) return freeze(pickOf(processes, PROCESSES[what.slice(FROZEN.length)], random), random);
      return signal(pickOf(processes, PROCESSES[what], random), 'SIGKILL');
  }
}

/** A process that hangs: it is there, and does nothing. It goes on later, unless it has been ended for that. */
function freeze(entry: ProcessEntry | undefined, random: Random): boolean {
  setTimeout(() => signal(entry && living([entry])[0], 'SIGCONT'), LEAST_FROZEN_MS + random.below(MORE_FROZEN_MS));
  return signal(entry, 'SIGSTOP');
}

function pickOf(processes: readonly ProcessEntry[], pattern: RegExp | undefined, random: Random): ProcessEntry | undefined {
  const found = processes.filter(({ command }) => pattern?.test(command));
  return found.length === 0 ? undefined : random.pick(found);
}

function signal(entry: ProcessEntry | undefined, name: 'SIGKILL' | 'SIGUSR2' | 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return entry !== undefined && process.kill(entry.pid, name);
  } catch {
    // It has ended between the look and the signal.
    return false;
  }
}
