import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { connectDirectly, type TaskTokens } from '../tokens/direct.ts';
import { connectToAmpoule } from '../tokens/ours.ts';
import type { Task } from '../tokens/task.ts';
import { TASKS } from '../tokens/tasks.ts';
import { serversFor } from '../tokens/upstreams.ts';
import type { Bench, Part } from '../part.ts';
import type { Curve, Findings, Row } from '../result.ts';
import { cacheFolder } from '../sandbox.ts';

const CATALOGS = [10, 50, 200, 1_000];
/** The catalog that the tasks are done with, and that has the targets. */
const JUDGED = 200;

interface Carried {
  readonly tools: number;
  readonly direct: number;
  readonly ours: number;
}

interface TaskPair {
  readonly task: Task;
  readonly direct: TaskTokens;
  readonly ours: TaskTokens;
}

/** Counts tokens, which no machine makes faster: nothing here is timed. */
export const tokens: Part = {
  name: 'tokens',
  about: 'tokens that a model carries up front and per task, direct tools against ours',
  async measure(bench) {
    const carried: Carried[] = [];
    let pairs: TaskPair[] = [];
    for (const tools of CATALOGS) {
      bench.step(`${tools} tools`);
      const found = await measureCatalog(bench, tools);
      carried.push(found.carried);
      if (tools === JUDGED) pairs = found.pairs;
    }
    return { rows: [...upFrontRows(carried), ...taskRows(pairs)], curves: [curveOf(carried)], notes: [HOW] } satisfies Findings;
  },
};

const HOW =
  'Tokens by o200k_base. Up front: name, description and input schema of each listed tool; for ours also instructions, prompt and skill listings. Per task: what the model writes and what comes back; of direct answers the text alone, of ours everything. Tools beyond the 36 of three installed servers are generated, no longer than those.';

async function measureCatalog(bench: Bench, tools: number): Promise<{ carried: Carried; pairs: TaskPair[] }> {
  await using folders = await taskFolders();
  await using cache = await cacheFolder(bench);
  await using direct = await connectDirectly(serversFor(tools, folders.direct));
  if (direct.tools !== tools) throw new Error(`the servers list ${direct.tools} tools instead of ${tools}`);
  await using ours = await connectToAmpoule(serversFor(tools, folders.ours), cache.path);
  const pairs: TaskPair[] = [];
  for (const task of tools === JUDGED ? TASKS : []) {
    bench.step(`${tools} tools: ${task.name}`);
    const pair = {
      task,
      direct: await direct.run(task, await prepared(task, folders.direct)),
      ours: await ours.run(task, await prepared(task, folders.ours)),
    };
    const same = isDeepStrictEqual(JSON.parse(JSON.stringify(pair.direct.answer)), pair.ours.answer);
    if (!same) throw new Error(`${task.name}: ${JSON.stringify(pair.ours.answer)} instead of ${JSON.stringify(pair.direct.answer)}`);
    pairs.push(pair);
  }
  return { carried: { tools, direct: direct.upFront, ours: ours.upFront }, pairs };
}

/** Two folders of equal length of name, because paths are tokens too. */
async function taskFolders(): Promise<{ direct: string; ours: string } & AsyncDisposable> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-tokens-')));
  const [direct, ours] = [join(root, 'a'), join(root, 'b')];
  await Promise.all([mkdir(direct), mkdir(ours)]);
  return { direct, ours, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

async function prepared(task: Task, root: string): Promise<string> {
  const folder = join(root, task.name.replaceAll(' ', '-'));
  await mkdir(folder);
  await task.prepare(folder);
  return folder;
}

function upFrontRows(carried: readonly Carried[]): Row[] {
  return carried.flatMap(({ tools, direct, ours }): Row[] => [
    {
      id: `tokens-up-front-${tools}`,
      name: `tokens up front, ${tools.toLocaleString('en')} tools`,
      unit: 'tokens',
      value: ours,
      control: { name: `${direct.toLocaleString('en')} of direct tools`, value: direct },
    },
    ...(tools === JUDGED ? [saved('tokens-saved-up-front', `fewer tokens up front at ${tools} tools`, ours, direct)] : []),
  ]);
}

function taskRows(pairs: readonly TaskPair[]): Row[] {
  const sum = (figure: (pair: TaskPair) => number): number => pairs.reduce((total, pair) => total + figure(pair), 0);
  const [ours, direct] = [sum((pair) => pair.ours.tokens), sum((pair) => pair.direct.tokens)];
  return [
    ...pairs.map(({ task, direct: theirs, ours: own }): Row => ({
      id: `tokens-task-${task.name.replaceAll(' ', '-')}`,
      name: `tokens of the task "${task.name}", ${own.turns} turns (${theirs.turns} direct)`,
      unit: 'tokens',
      value: own.tokens,
      control: { name: `${theirs.tokens.toLocaleString('en')} of direct tools`, value: theirs.tokens },
    })),
    saved('tokens-saved-tasks', `fewer tokens over the ${pairs.length} tasks at ${JUDGED} tools`, ours, direct),
  ];
}

function saved(id: string, name: string, ours: number, direct: number): Row {
  return { id, name, unit: '%', value: 100 * (1 - ours / direct) };
}

function curveOf(carried: readonly Carried[]): Curve {
  const last = carried.at(-1);
  return {
    id: 'tokens',
    title: 'Tokens up front by the size of the catalog',
    x: { label: 'tools', unit: '', scale: 'log' },
    y: { label: 'tokens', unit: '', scale: 'log' },
    series: [
      { name: 'direct tools', points: carried.map(({ tools, direct }) => ({ x: tools, y: direct })) },
      { name: 'Ampoule', points: carried.map(({ tools, ours }) => ({ x: tools, y: ours })) },
    ],
    sentence: `With ${last?.tools.toLocaleString('en')} tools a model carries ${last?.ours.toLocaleString('en')} tokens up front instead of ${last?.direct.toLocaleString('en')}.`,
  };
}
