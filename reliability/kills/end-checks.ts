import { setTimeout as sleep } from 'node:timers/promises';
import { halfWritten } from '../chaos/checks.ts';
import { living } from '../process-table.ts';
import type { Random } from '../random.ts';
import { filesBelow } from '../server.ts';
import { runCommand } from './command.ts';
import type { Stage } from './stage.ts';
import { damagedStores } from './stored.ts';
import type { Heard } from './submitted.ts';

const REPLAYED = 12;
const AT_ONCE = 3;
const GRACE_MS = 5_000;

/** What has to be true once the last server has ended, besides the runs themselves. */
export async function checkRemains(stage: Stage, ended: ReadonlyMap<string, Heard>, random: Random): Promise<string[]> {
  const { folder, seen } = stage;
  const files = [...(await halfWritten(folder)), ...(await filesBelow(folder.cache)).filter((file) => file.endsWith('.lock'))];
  return [
    ...(await listed(stage, ended)),
    ...(await replayed(stage, ended, random)),
    ...damagedStores(folder),
    ...files.map((file) => `the file ${file} is left`),
    ...(await left(seen)).map((command) => `a process is left: ${command}`),
  ];
}

/** The operator's lists say what the clients heard, and nothing is open. */
async function listed({ folder, operator }: Stage, ended: ReadonlyMap<string, Heard>): Promise<string[]> {
  const open = JSON.parse(await runCommand(folder, ['approvals', 'list', '--json'])) as unknown[];
  const faults = open.map((one) => `a question is open: ${JSON.stringify(one)}`);
  for (const { id, status } of await operator.executions()) {
    const heard = ended.get(id);
    if (heard && status !== statusOf(heard)) faults.push(`${id} is ${status} in the list, and ${statusOf(heard)} for its client`);
  }
  return faults;
}

function statusOf({ status, result }: Heard): string {
  if (status === 'waiting') return 'waiting, or running';
  const { code } = (result ?? {}) as { code?: unknown };
  return status === 'failed' && code === 'ERR_EXECUTE_CANCELLED' ? 'cancelled' : status;
}

/** A few of those that completed do the same again, offline. */
async function replayed({ folder }: Stage, ended: ReadonlyMap<string, Heard>, random: Random): Promise<string[]> {
  const completed = [...ended.values()].filter(({ status }) => status === 'completed').map(({ executionId }) => executionId);
  const chosen = Array.from({ length: Math.min(REPLAYED, completed.length) }, () => random.pick(completed));
  const faults: string[] = [];
  const lane = async (): Promise<void> => {
    for (let id = chosen.pop(); id !== undefined; id = chosen.pop()) {
      const which = id;
      await runCommand(folder, ['replay', which]).catch((error: Error & { stdout?: string; stderr?: string }) => {
        faults.push(`${which} is not the same when it is replayed: ${error.stdout ?? ''}${error.stderr ?? error.message}`);
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return faults;
}

async function left(seen: Stage['seen']): Promise<string[]> {
  const end = performance.now() + GRACE_MS;
  while (living(seen).length > 0 && performance.now() < end) await sleep(100);
  return living(seen).map(({ command }) => command);
}
