import { setTimeout as sleep } from 'node:timers/promises';
import { killOne } from '../chaos/killer.ts';
import type { Random } from '../random.ts';
import type { ServerUnderTest } from '../server.ts';
import { KillClient } from './client.ts';
import { startServer, type Stage } from './stage.ts';

const LANES = 6;
const LONGEST_LIFE_MS = 3_000;
const LONGEST_START_MS = 2_500;
/** In a part of the lives something else is killed first: then the server carries on with its runs, until it goes too. */
const SOMETHING_ELSE = 0.5;
const OTHERS = ['executor', 'executor', 'executor', 'worker thread', 'checker', 'bundler', 'parser', 'HTTP upstream'] as const;

/** What becomes of a server, and of one beside it. @returns how many of them were ended by SIGKILL */
type Life = (stage: Stage, random: Random) => Promise<number>;

/** In this order, again and again. */
const LIVES: readonly Life[] = [usual, usual, beside, starting, starting, usual, inOrder, usual, usual, starting];

/** Lives until so many servers were killed. */
export async function liveAndDie(stage: Stage, kills: number, random: Random, onTick: (kills: number) => void): Promise<void> {
  let [killed, life] = [0, 0];
  while (killed < kills) {
    await stage.web.ready();
    const live = LIVES[life % LIVES.length] ?? usual;
    killed += await live(stage, random.fork(`life ${life++}`));
    onTick(killed);
  }
}

/** It works for a while, and is killed. */
async function usual(stage: Stage, random: Random): Promise<number> {
  const server = await startServer(stage, random);
  return withServers(stage, [server], random, async () => {
    await somethingElse(stage, server, random);
    await sleep(random.below(LONGEST_LIFE_MS));
    return kill(stage, server);
  });
}

/** Two have the same store. One is killed, and the other one carries on with all, until it goes too. */
async function beside(stage: Stage, random: Random): Promise<number> {
  const servers = [await startServer(stage, random), await startServer(stage, random)] as const;
  return withServers(stage, servers, random, async () => {
    const [first, second] = random.chance(0.5) ? servers : servers.toReversed();
    if (!first || !second) return 0;
    await somethingElse(stage, random.pick(servers), random);
    await sleep(random.below(LONGEST_LIFE_MS));
    kill(stage, first);
    await sleep(random.below(LONGEST_LIFE_MS));
    return 1 + kill(stage, second);
  });
}

/** It is killed while it starts: in the middle of taking up what others have left. */
async function starting(stage: Stage, random: Random): Promise<number> {
  const server = await startServer(stage, random);
  await Promise.race([server.ready().catch(() => undefined), sleep(random.below(LONGEST_START_MS))]);
  if (server.url !== '') await sleep(random.below(300));
  const killed = kill(stage, server);
  await server.end('SIGTERM');
  return killed;
}

/** It is asked to end, in the middle of its runs. */
async function inOrder(stage: Stage, random: Random): Promise<number> {
  const server = await startServer(stage, random);
  return withServers(stage, [server], random, async () => {
    await sleep(random.below(LONGEST_LIFE_MS));
    const { code, left } = await server.end('SIGTERM');
    if (code !== 0) stage.faults.push(`a server that was asked to end did with ${code}: ${server.log.slice(-1_000)}`);
    for (const { command } of left) stage.faults.push(`a server that was asked to end has left ${command}`);
    return 0;
  });
}

async function withServers(
  { submitted, operator, seen }: Stage,
  servers: readonly ServerUnderTest[],
  random: Random,
  work: () => Promise<number>,
): Promise<number> {
  try {
    for (const server of servers) await server.ready();
    const isOver = (server: ServerUnderTest): boolean => server.hasEnded || server.child.killed;
    const lanes = Array.from({ length: LANES }, (_, number) => {
      const server = servers[number % servers.length] as ServerUnderTest;
      return new KillClient(server.url).work(submitted, random.fork(`lane ${number}`), () => isOver(server));
    });
    const operating = operator.work(() => servers.every(isOver));
    const killed = await work();
    await Promise.all([...lanes, operating]);
    return killed;
  } finally {
    for (const server of servers) {
      seen.push(...server.processes());
      server.child.kill('SIGKILL');
      await server.end('SIGTERM');
    }
  }
}

async function somethingElse({ web, others }: Stage, server: ServerUnderTest, random: Random): Promise<void> {
  if (!random.chance(SOMETHING_ELSE)) return;
  await sleep(random.below(LONGEST_LIFE_MS));
  const what = random.pick(OTHERS);
  if (killOne(what, server, web, random)) others[what] = (others[what] ?? 0) + 1;
}

function kill({ seen }: Stage, server: ServerUnderTest): number {
  seen.push(...server.processes());
  return server.child.kill('SIGKILL') ? 1 : 0;
}
