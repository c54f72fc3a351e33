import type { Random } from '../random.ts';
import type { StdioClient } from '../stdio-client.ts';
import { UPSTREAM_CODES } from './codes.ts';
import { ChaosClient } from './client.ts';
import { beginCounter, countAlone, countTogether, type Counter } from './counters.ts';
import { arithmetic, bundled, chatter, effect, large, manyTools, tools } from './good-programs.ts';
import { abandoned, hostile } from './hostile-programs.ts';
import { judgeMessage } from './judge.ts';
import type { Ledger } from './ledger.ts';
import { gives, type Maker, type Output, type Task } from './task.ts';

/** What all clients of a run share. */
export interface Load {
  readonly url: string;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly counters: Counter[];
  /** Two counters that all write: one session, each client with a key of its own, and one with one key for all. */
  readonly shared: { each?: string; one?: Counter };
  readonly fresh: () => number;
  readonly isOver: () => boolean;
}

type Step = (of: LoadClient) => Promise<unknown>;

/** What a client may do next, and how often in comparison. */
const STEPS: readonly (readonly [weight: number, step: Step])[] = [
  [8, (of) => of.client.run(arithmetic(of))],
  [3, (of) => of.client.run(bundled(of))],
  [6, (of) => of.client.run(tools(of))],
  [3, (of) => of.client.run(manyTools(of))],
  [2, (of) => of.client.run(chatter(of))],
  [4, (of) => of.client.run(effect(of, of.load.ledger.effects))],
  [8, (of) => of.count()],
  [4, (of) => of.countShared()],
  [1, (of) => of.keepLarge()],
  [1, (of) => of.skill()],
  [2, (of) => of.approval()],
  [8, (of) => of.client.run(hostile(of))],
  [3, (of) => of.client.run(abandoned(of, of.random.pick(['drop', 'cancel'])))],
  [1, (of) => of.client.nonsense('tools/call', { name: 'no_such_tool', arguments: {} })],
];
const DECK = STEPS.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));
const MAX_RUNS_OF_A_SESSION = 40;
const SKILLS_OF_A_CLIENT = 3;

/** One client over HTTP that does one thing after the other until the time is over. */
export class LoadClient implements Maker {
  readonly client: ChaosClient;
  readonly load: Load;
  readonly random: Random;
  readonly fresh: () => number;
  readonly #name: string;
  #counter: Counter | undefined;
  readonly #skills = new Map<string, number>();

  constructor(load: Load, number: number) {
    const era = number % 2 === 0 ? '2026-07-28' : '2025-11-25';
    this.load = load;
    this.fresh = load.fresh;
    this.#name = `client${number}`;
    this.random = load.random.fork(this.#name);
    this.client = new ChaosClient(load.url, era, load.ledger);
  }

  async work(): Promise<void> {
    await this.client.open();
    while (!this.load.isOver()) await this.random.pick(DECK)(this);
    this.client.close();
  }

  /** Counts in a session of its own; begins another one now and then. */
  async count(): Promise<void> {
    if (this.#counter && this.#counter.completed < MAX_RUNS_OF_A_SESSION) return void (await this.client.run(countAlone(this.#counter)));
    const begin = beginCounter(`k${this.fresh()}`, (counter) => this.load.counters.push((this.#counter = counter)));
    await this.client.run(begin);
    return undefined;
  }

  async countShared(): Promise<void> {
    const { each, one } = this.load.shared;
    if (one && this.random.chance(0.5)) return void (await this.client.run(countTogether(one)));
    if (each === undefined) return undefined;
    const own = this.load.counters.find(({ handle, key }) => handle === each && key === this.#name);
    const counter = own ?? { handle: each, key: this.#name, completed: 0 };
    if (!own) this.load.counters.push(counter);
    await this.client.run(countAlone(counter));
    return undefined;
  }

  async keepLarge(): Promise<void> {
    const output = await this.client.run(large(this));
    const [kept] = output?.kept ?? [];
    if (kept && Array.isArray(output?.result)) await this.client.readKept(kept.uri, `[${String(output.result[0])},`);
  }

  /** Saves a new version of a skill; uses the last one that was acknowledged. */
  async skill(): Promise<void> {
    const name = `${this.#name}-${this.random.below(SKILLS_OF_A_CLIENT)}`;
    const value = this.fresh();
    if (await this.client.saveSkill(name, `/** A number. */\nexport const value = ${value};`)) this.#skills.set(name, value);
    const known = this.#skills.get(name);
    if (known === undefined) return;
    const code = `import { value } from "skills/${name}"; return value;`;
    await this.client.run({ kind: 'skill', arguments: { code }, judge: gives(known) });
  }

  /** A tool that a person is asked about. Clients that cannot be asked hear that it was refused. */
  approval(): Promise<void> {
    return this.client.approve(approvalTask(this, this.load.ledger), this.random.chance(0.7));
  }
}

function approvalTask({ fresh }: Maker, { effects }: Ledger): Task {
  const id = `approved-${fresh()}`;
  effects.started.add(id);
  const code = `import { danger } from "servers/two";
try { await danger({ id: input }); return "done"; } catch (error) { return { code: (error as { code?: string }).code }; }`;
  const codes = new Set(['ERR_CALL_APPROVAL', ...UPSTREAM_CODES]);
  return {
    kind: 'approval',
    arguments: { code, input: id, limits: { waitMs: 3_000 } },
    codes: ['ERR_EXECUTE_WAITING_TIME', 'ERR_CALL_APPROVAL'],
    judge: ({ result }: Output) => {
      const code = (result as { code?: string } | undefined)?.code;
      return result === 'done' || (code !== undefined && codes.has(code)) ? undefined : `it gave ${JSON.stringify(result)}`;
    },
    done: (output) => void (output?.status === 'completed' && output.result === 'done' && effects.completed.add(id)),
  };
}

/** The same programs for the one client of a server over stdio, a few at a time. */
export async function workOverStdio(load: Load, client: StdioClient, lanes: number): Promise<void> {
  const random = load.random.fork('stdio');
  const maker: Maker = { random, fresh: load.fresh };
  const makers = [arithmetic, tools, chatter, hostile, (of: Maker): Task => effect(of, load.ledger.effects)];
  const lane = async (): Promise<void> => {
    while (!load.isOver()) {
      const task = random.chance(0.1) ? abandoned(maker, 'cancel') : random.pick(makers)(maker);
      load.ledger.requests++;
      const { id, answer } = client.request('tools/call', { name: 'execute_code', arguments: task.arguments });
      if (task.manner === 'cancel') setTimeout(() => client.notify('notifications/cancelled', { requestId: id }), task.afterMs);
      const message = task.manner === 'cancel' ? await Promise.race([answer, after(1_500)]) : await answer;
      if (message) task.done?.(judgeMessage({ ...task, kind: `${task.kind} (stdio)` }, message, load.ledger, 'chaos'));
      else if (task.manner === 'cancel') load.ledger.ending('cancel (stdio)', 'left');
      else load.ledger.fault('A request over stdio has had no answer', task.kind);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
