import { randomUUID } from 'node:crypto';
import { createDurableRuns, type CarriedRuns, type DurableRunsOptions } from '../../src/execution/durable-runs.ts';
import type { CallJournal, DurableRun, WaitReason } from '../../src/execution/durable-run.ts';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import type { OnCall } from '../../src/execute/run-handle.ts';
import type { RunOutcome, RunRequest, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';
import { LIMITS } from './stored-executions.ts';
import { PlayedExecutor, type Play } from './played-executor.ts';

export const ENGINE = 'ee'.repeat(32);

/** The same store with other answers to some questions. Its thread is that of the first. */
export function changed(store: ExecutionStore, changes: Partial<ExecutionStore>): ExecutionStore {
  return Object.assign(Object.create(store) as ExecutionStore, changes);
}

/** A store in memory. */
export function memoryStore(): ExecutionStore {
  return openExecutions({ file: undefined, group: 'test', limits: LIMITS });
}

export interface OpenedRuns extends AsyncDisposable {
  readonly runs: CarriedRuns;
  readonly store: ExecutionStore;
  readonly executor: PlayedExecutor;
  readonly warnings: string[];
}

/** A driver over a played executor and a real store. */
export function openRuns(options: Partial<DurableRunsOptions> & { readonly store?: ExecutionStore } = {}): OpenedRuns {
  const store = options.store ?? memoryStore();
  const executor = new PlayedExecutor();
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (fields: object, message: string) => warnings.push(`${message} ${JSON.stringify(fields)}`) };
  const rest = {
    engineHash: ENGINE,
    maxWaitingRuns: 100,
    executions: { interruptedCalls: 'fail', engineChanged: 'keep' },
    random: () => 0,
  } as const;
  const runs = createDurableRuns({ executor, log, ...rest, ...options, store }) as CarriedRuns;
  const close = async (): Promise<void> => {
    runs.leave();
    if (options.store === undefined) await store.close();
  };
  return { runs, store, executor, warnings, [Symbol.asyncDispose]: close };
}

export interface Begun {
  readonly id: string;
  readonly outcome: Promise<RunOutcome>;
  readonly controller: AbortController;
  readonly waits: (readonly WaitReason[] | undefined)[];
}

export interface BeginOptions {
  readonly id?: string;
  readonly request?: Partial<RunRequest>;
  readonly run?: Partial<DurableRun>;
  readonly onCall?: (journal: CallJournal) => OnCall;
}

/** Begins a play, or goes on with it. */
export async function begin({ runs, store }: Pick<OpenedRuns, 'runs' | 'store'>, play: Play, options: BeginOptions = {}): Promise<Begun> {
  const { id = `exe_${randomUUID()}`, onCall = sentAndAnswered } = options;
  if (options.run?.stored === undefined) await store.create({ id, principal: 'local', createdAt: Date.now(), request: '{}' });
  const request: RunRequest = {
    executionId: id,
    program: { key: 'ab'.repeat(32), script: JSON.stringify(play) },
    input: 'null',
    state: '{}',
    limits: DEFAULT_RUN_LIMITS,
    hibernation: { afterMs: 0, maxImageBytes: 1_000_000 },
    ...options.request,
  };
  const controller = new AbortController();
  const waits: Begun['waits'] = [];
  const observer = { onWaiting: (reasons: readonly WaitReason[] | undefined) => void waits.push(reasons) };
  const outcome = runs.run({ request, engineHash: ENGINE, context: '{}', observer, ...options.run }, onCall, controller.signal);
  outcome.catch(() => undefined);
  return { id, outcome, controller, waits };
}

/** The gateway ends, and another one goes on with the run: what is left of the first one does nothing any more. */
export async function goOn(
  all: OpenedRuns,
  { id }: Begun,
  play: Play,
  options: BeginOptions & { change?: (stored: StoredExecution) => StoredExecution } = {},
): Promise<Begun> {
  const stored = await all.store.read(id);
  if (!stored) throw new Error('it is not stored');
  return begin(all, play, { ...options, id, run: { ...options.run, stored: options.change?.(stored) ?? stored } });
}

/** A tool that answers with its number, a moment after it was written down that it is sent. */
export function sentAndAnswered(journal: CallJournal): OnCall {
  return async (call) => {
    await journal.sending(call.number, false);
    return answerTo(call);
  };
}

export function answerTo({ number, tool }: ToolCall): ToolAnswer {
  return { ok: true, value: JSON.stringify(`${tool} ${number}`) };
}

/** A tool whose answers are given by hand. */
export class HeldTool {
  readonly calls: ToolCall[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #answers = new Map<number, (answer: ToolAnswer) => void>();
  #onCall: (() => void) | undefined;
  readonly isRepeatable: boolean;

  constructor(isRepeatable = false) {
    this.isRepeatable = isRepeatable;
  }

  onCall = (journal: CallJournal): OnCall => {
    return async (call, signal) => {
      await journal.sending(call.number, this.isRepeatable);
      this.calls.push(call);
      this.signals.push(signal);
      const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
      this.#answers.set(call.number, resolve);
      this.#onCall?.();
      return promise;
    };
  };

  /** Answers as soon as the call is made. */
  async answer(number: number, answer?: ToolAnswer): Promise<void> {
    while (!this.#answers.has(number)) await this.#next();
    const call = this.calls.findLast((made) => made.number === number);
    this.#answers.get(number)?.(answer ?? answerTo(call ?? { executionId: '', number, server: '', tool: '', arguments: '' }));
    this.#answers.delete(number);
  }

  async untilCalled(times = 1): Promise<void> {
    while (this.calls.length < times) await this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCall = resolve;
    });
  }
}

/** The result of a play that has ended well. */
export async function resultOf({ outcome }: Pick<Begun, 'outcome'>): Promise<unknown> {
  const { end } = await outcome;
  if (end.status === 'failed') throw new Error(`${end.code}: ${end.message}`);
  return (
    (JSON.parse(end.result) as Record<string, ToolAnswer>) && Object.values(JSON.parse(end.result) as Record<string, ToolAnswer>).map(told)
  );
}

function told(answer: ToolAnswer): unknown {
  return answer.ok ? JSON.parse(answer.value) : answer.error.code;
}

/** Waits until something is so, looking at every turn. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 1));
}
