import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../random.ts';
import { KillClient } from './client.ts';
import { runCommand } from './command.ts';
import { startServer, type Stage } from './stage.ts';
import { keysOf } from './stored.ts';
import type { Heard } from './submitted.ts';

const SETTLE_MS = 120_000;
const AT_ONCE = 8;
const POLL_MS = 200;
const READ = 'import { getState } from "ampoule"; return getState();';

/** What the clients see in the end. */
export interface Seen {
  /** The final answer of each run, by id. */
  readonly ended: ReadonlyMap<string, Heard>;
  /** Keys of what has counted, by session; twice what has counted twice. */
  readonly counted: ReadonlyMap<string, readonly string[]>;
  /** From the start of the server until the last run had ended. */
  readonly settledMs: number;
}

/** Nothing is killed any more: every run has to come to its end. */
export async function lastLife(stage: Stage): Promise<Seen> {
  await stage.web.ready();
  const server = await startServer(stage, randomFrom('the last'));
  try {
    await server.ready();
    const client = new KillClient(server.url);
    const began = performance.now();
    const ended = await untilEnded(client, stage);
    const settledMs = performance.now() - began;
    const counted = await readSessions(client, ended, stage);
    client.close();
    const { code, left } = await server.end('SIGTERM');
    if (code !== 0 || left.length > 0) stage.faults.push(`the last server ended with ${code}, and left ${left.length} processes`);
    return { ended, counted, settledMs };
  } finally {
    server.child.kill('SIGKILL');
    await server.end('SIGTERM');
  }
}

async function untilEnded(client: KillClient, stage: Stage): Promise<Map<string, Heard>> {
  const { operator } = stage;
  const ended = new Map<string, Heard>();
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    await operator.answerAll();
    const open = (await operator.executions()).map(({ id }) => id).filter((id) => (ended.get(id)?.status ?? 'waiting') === 'waiting');
    if (open.length === 0) return ended;
    if (performance.now() > end) {
      for (const id of open) stage.faults.push(`${id} does not end: ${await storyOf(stage, id)}`);
      return ended;
    }
    await Promise.all(Array.from({ length: AT_ONCE }, () => lane(client, open, ended)));
    await cancelEndless(ended, stage);
    await sleep(POLL_MS);
  }
}

async function storyOf({ folder }: Stage, id: string): Promise<string> {
  return runCommand(folder, ['executions', 'show', id]).catch(String);
}

async function lane(client: KillClient, open: string[], ended: Map<string, Heard>): Promise<void> {
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const heard = await client.wait(id, 0);
    if (heard) ended.set(id, heard);
  }
}

/** What would sleep for a day, unless somebody has been told before that it is cancelled: then it has to end by itself. */
async function cancelEndless(ended: ReadonlyMap<string, Heard>, { folder, operator, submitted }: Stage): Promise<void> {
  const open = [...ended].filter(([id, { status }]) => status === 'waiting' && !submitted.cancelHeard.has(id)).map(([id]) => id);
  for (const [id, key] of keysOf(folder, open)) {
    submitted.accepted.set(id, key);
    if (submitted.program(key)?.isEndless === true) await operator.cancel(id);
  }
}

async function readSessions(
  client: KillClient,
  ended: ReadonlyMap<string, Heard>,
  { submitted, faults }: Stage,
): Promise<Map<string, string[]>> {
  const handles = new Set(submitted.sessions);
  for (const { session } of ended.values()) if (session !== undefined) handles.add(session);
  const counted = new Map<string, string[]>();
  for (const session of handles) {
    const heard = await client.execute({ code: READ, session });
    if (heard?.status !== 'completed') faults.push(`the session ${session} cannot be read: ${JSON.stringify(heard)}`);
    else counted.set(session, namesIn((heard.result ?? {}) as Record<string, unknown>));
  }
  return counted;
}

function namesIn({ names = [], ...own }: Record<string, unknown>): string[] {
  return [...(names as string[]), ...Object.entries(own).flatMap(([key, times]) => Array.from({ length: Number(times) }, () => key))];
}
