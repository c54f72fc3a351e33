import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebUpstream } from '../chaos/web-upstream.ts';
import type { Random } from '../random.ts';
import type { ProcessEntry } from '../process-table.ts';
import { makeServerFolder, ServerUnderTest, type ServerFolder } from '../server.ts';
import { Operator } from './operator.ts';
import { Submitted } from './submitted.ts';

const MiB = 1024 * 1024;

/** Where all servers of a kill test live, one after the other and at the same time: one folder, one store, one upstream server. */
export interface Stage {
  readonly folder: ServerFolder;
  readonly web: WebUpstream;
  /** Where the upstream server writes down what it was asked to do. */
  readonly effects: string;
  readonly submitted: Submitted;
  readonly operator: Operator;
  /** Every process that was ever seen below a server. */
  readonly seen: ProcessEntry[];
  /** What was killed besides servers, and how often. */
  readonly others: Record<string, number>;
  readonly faults: string[];
}

export async function openStage(started: AsyncDisposableStack, random: Random): Promise<Stage> {
  const folder = started.use(await makeServerFolder({}));
  const effects = join(folder.path, 'effects');
  await writeFile(effects, '');
  const web = started.use(await WebUpstream.open(effects));
  const submitted = new Submitted();
  const operator = new Operator(folder, submitted, random.fork('operator'));
  return { folder, web, effects, submitted, operator, seen: [], others: {}, faults: [] };
}

/** Starts a server, with settings that no other one has to have had. */
export async function startServer({ folder, web }: Stage, random: Random): Promise<ServerUnderTest> {
  const config = {
    cacheDir: 'cache',
    log: { level: 'warn', format: 'json' },
    workers: 2,
    executors: random.pick([1, 1, 2]),
    mcpServers: { web: { url: web.url } },
    policies: { servers: { web: { tools: { danger: { policy: 'ask' } } } } },
    executions: { interruptedCalls: random.pick(['fail', 'fail', 'ask']) },
    limits: { hibernateAfterMs: random.pick([0, 300, 300, 1_500]), maxImageBytes: random.pick([MiB, 16 * MiB]) },
  };
  await writeFile(join(folder.path, 'ampoule.json'), JSON.stringify(config));
  return new ServerUnderTest(folder, 'http');
}
