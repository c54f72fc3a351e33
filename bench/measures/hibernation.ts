import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programKey } from '../../src/component/program-key.ts';
import type { HibernatedRun, RunEvents, RunFrom, RunOutcome, RunRequest, ToolAnswer } from '../../src/execute/run.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { LIMITS } from '../../src/limits.ts';
import { defaultRunLimits } from '../limits.ts';
import { patience, type Bench, type Part } from '../part.ts';
import { script } from '../programs.ts';
import type { Row } from '../result.ts';
import { openBenchSandbox } from '../sandbox.ts';
import { repeatUntilSteady } from '../statistics.ts';
import { median, percentile } from '../measure.ts';

const BATCH = { full: 40, quick: 12 };
const BUDGET_MS = 20_000;
const KILOBYTE = 1_000;
const SEED = '0'.repeat(64);
const NEVER = new AbortController().signal;
const SOURCE = `
const pages = [];
for (let page = 0; page < 4; page++) pages.push(await ampoule.callTool("tracker", "list", { page }));
const rows = pages.flatMap(({ rows }) => rows);
const byUser = new Map();
for (const row of rows) byUser.set(row.user.login, [...(byUser.get(row.user.login) ?? []), row]);
const approved = await ampoule.callTool("tracker", "approve", { users: [...byUser.keys()] });
return { approved, users: byUser.size, rows: rows.length };`;
const CALLS_BEFORE = 4;
/** Twenty rows of about two hundred characters, as tools answer. */
const ANSWER: ToolAnswer = {
  ok: true,
  value: JSON.stringify({
    rows: Array.from({ length: 20 }, (_, id) => ({
      id,
      title: `A title of some length, as issues have them, with its number ${id}`,
      labels: ['bug', 'needs triage'],
      user: { login: `user${id % 7}`, url: `https://example.org/users/${id % 7}` },
    })),
  }),
};

/** What one run that waits costs: from the call that it waits for until it is stored, and from the answer until it has ended. */
export const hibernation: Part = {
  name: 'hibernation',
  about: 'putting a run away that waits, and going on with it: time, and bytes on disk',
  async measure(bench) {
    const folder = await mkdtemp(join(tmpdir(), 'ampoule-bench-'));
    await using sandbox = await openBenchSandbox(bench, { config: { check: 'off' } });
    const store = openExecutions({ file: join(folder, 'executions.db'), limits: limitsOf(), group: 'bench' });
    try {
      const measured = await measureAll(bench, { sandbox, store });
      return { rows: rowsOf(measured) };
    } finally {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Sandbox = Awaited<ReturnType<typeof openBenchSandbox>>;
interface Stages {
  readonly sandbox: Sandbox;
  readonly store: ExecutionStore;
}
/** Of one run: milliseconds and bytes. */
interface Round {
  readonly hibernate: number;
  readonly wake: number;
  readonly bytes: number;
}

async function measureAll(bench: Bench, stages: Stages): Promise<{ results: readonly (readonly Round[])[]; steady: boolean }> {
  const count = BATCH[bench.quick ? 'quick' : 'full'];
  for (let warm = 0; warm < count; warm++) await oneRound(stages, `warm ${warm}`);
  let batches = 0;
  return repeatUntilSteady(
    async () => {
      const batch = ++batches;
      const rounds: Round[] = [];
      for (let round = 0; round < count; round++) rounds.push(await oneRound(stages, `${batch} ${round}`));
      return rounds;
    },
    (rounds) => [median(rounds.map(({ hibernate }) => hibernate)), median(rounds.map(({ wake }) => wake))],
    patience(bench, BUDGET_MS),
  );
}

async function oneRound({ sandbox, store }: Stages, id: string): Promise<Round> {
  const run = script(SOURCE);
  const key = programKey({ script: run, engineHash: sandbox.engine.hash });
  const base = { executionId: id, program: { key, script: run }, input: 'null', state: '{}', limits: defaultRunLimits(), seed: SEED };
  await store.create({ id, principal: 'local', createdAt: Date.now(), request: '{}' });
  await store.start(id, { ...base, programKey: key, script: run, engineHash: sandbox.engine.hash, now: Date.now(), context: '{}' });
  const { slept, askedAt } = await untilPutAway(sandbox, {
    ...base,
    now: Date.now(),
    hibernation: { afterMs: 0, maxImageBytes: LIMITS.maxImageBytes.default },
  });
  const { image, ...wait } = slept;
  await store.hibernated(id, { ...wait, at: Date.now(), imageBytes: image.length }, image);
  const storedAt = performance.now();
  const stored = await store.image(id);
  if (!stored) throw new Error('the image is gone');
  const outcome = await wake(sandbox, base, {
    kind: 'image',
    image: stored,
    now: wait.now,
    pending: wait.pending,
    lastCall: wait.lastCall,
  });
  const wokenAt = performance.now();
  if (outcome.end.status !== 'completed') throw new Error(`a run of the benchmark failed: ${outcome.end.message}`);
  await store.ended(id, { status: 'completed', usage: outcome.usage, response: '{}' });
  return { hibernate: storedAt - askedAt, wake: wokenAt - storedAt, bytes: image.length };
}

/** Wakes it for each answer until it waits for the last call, as a run at a quiet tool would. */
async function untilPutAway(sandbox: Sandbox, request: RunRequest): Promise<{ slept: HibernatedRun; askedAt: number }> {
  let askedAt = 0;
  const waits = Promise.withResolvers<ToolAnswer>();
  const events: RunEvents = {
    call: ({ number }) => {
      askedAt = performance.now();
      return number > CALLS_BEFORE ? waits.promise : Promise.resolve(ANSWER);
    },
    answer: (call) => (call > CALLS_BEFORE ? waits.promise : Promise.resolve(ANSWER)),
    history: () => undefined,
  };
  let ended = await sandbox.executor.attempt(request, events, NEVER);
  while ('image' in ended && ended.pending.every((call) => call <= CALLS_BEFORE)) {
    const { image, now, pending, lastCall } = ended;
    ended = await sandbox.executor.attempt({ ...request, from: { kind: 'image', image, now, pending, lastCall } }, events, NEVER);
  }
  if ('image' in ended) return { slept: ended, askedAt };
  throw new Error('the run of the benchmark was not put away');
}

async function wake(sandbox: Sandbox, request: RunRequest, from: RunFrom): Promise<RunOutcome> {
  const answer = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: '{"yes":true}' });
  const ended = await sandbox.executor.attempt({ ...request, from }, { call: answer, answer, history: () => undefined }, NEVER);
  if ('image' in ended) throw new Error('the run of the benchmark was put away again');
  return ended;
}

function rowsOf({ results, steady }: { results: readonly (readonly Round[])[]; steady: boolean }): Row[] {
  const rounds = results.flat();
  const row = (id: string, name: string, times: readonly number[]): Row => ({
    id,
    name,
    unit: 'ms',
    value: median(times),
    p95: percentile(times, 0.95),
    steady,
  });
  return [
    row(
      'hibernate',
      'from the call that a run waits for until it is stored',
      rounds.map(({ hibernate }) => hibernate),
    ),
    row(
      'wake',
      'from the answer until a stored run has ended',
      rounds.map(({ wake: took }) => took),
    ),
    {
      id: 'hibernated-bytes',
      name: 'stored bytes of a run that waits',
      unit: 'MB',
      value: median(rounds.map(({ bytes }) => bytes)) / KILOBYTE / KILOBYTE,
    },
  ];
}

function limitsOf(): { readonly [name in keyof typeof LIMITS]: number } {
  return Object.fromEntries(Object.entries(LIMITS).map(([name, { default: value }]) => [name, value])) as never;
}
