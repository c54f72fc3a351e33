import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import type { ProgramSource, RunLimits, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import type { ExecutorInit } from '../../src/execute/executor-supervisor.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import type { DurableRuns } from '../../src/execution/durable-run.ts';
import { createDurableRuns } from '../../src/execution/durable-runs.ts';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { outcomeText } from '../../src/run/outcome-text.ts';
import { recordingOf, type Recording } from '../../src/replay/recording.ts';
import { replay, type Replayed, type ReplayOptions } from '../../src/replay/replay.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { DEFAULT_RUN_LIMITS, openTestExecutor } from '../support/executor.ts';

const engineHash = inject('engine').hash;
export const programFor = (script: string): ProgramSource => ({ script, key: programKey({ script, engineHash }) });

export interface Recorded {
  readonly hibernateAfterMs?: number | undefined;
  readonly limits?: Partial<RunLimits> | undefined;
  readonly onCall?: (call: ToolCall, stop: AbortController) => Promise<ToolAnswer>;
}

/** Runs that are carried and kept as a server does it, and replays of them in a process of their own. */
export class Recorder implements AsyncDisposable {
  readonly executor: SupervisedExecutor;
  readonly #replayer: SupervisedExecutor;
  readonly #store: ExecutionStore;
  readonly #runs: DurableRuns;

  constructor(executor: SupervisedExecutor, replayer: SupervisedExecutor) {
    [this.executor, this.#replayer] = [executor, replayer];
    this.#store = openExecutions({ file: undefined, group: 'test', limits: LIMIT_DEFAULTS });
    const executions = { interruptedCalls: 'fail', engineChanged: 'keep' } as const;
    const log = { info: () => undefined, warn: () => undefined };
    this.#runs = createDurableRuns({ store: this.#store, executor, engineHash, executions, maxWaitingRuns: 100, log });
  }

  static async open(init: Partial<ExecutorInit> = {}): Promise<Recorder> {
    const [executor, replayer] = await Promise.all([openTestExecutor(init), openTestExecutor(init)]);
    return new Recorder(executor, replayer);
  }

  /** The recording of a run of the body of an async function. */
  async record(body: string, how: Recorded = {}): Promise<Recording> {
    return recordingOf(await this.stored(body, how));
  }

  async stored(body: string, { hibernateAfterMs, limits, onCall = echo }: Recorded = {}): Promise<StoredExecution> {
    const executionId = `exe_${randomUUID()}`;
    await this.#store.create({ id: executionId, principal: 'local', createdAt: Date.now(), request: '{}' });
    const program = programFor(`return (async () => {${body}\n})();\n//# sourceURL=program.js\n`);
    const hibernation = hibernateAfterMs === undefined ? {} : { hibernation: { afterMs: hibernateAfterMs, maxImageBytes: 100_000_000 } };
    const bounds = { ...DEFAULT_RUN_LIMITS, ...limits };
    const request = { executionId, program, input: '{"a":1}', state: '{"n":3}', limits: bounds, ...hibernation };
    const stop = new AbortController();
    const { end, ...outcome } = await this.#runs.run(
      { request, engineHash, context: '{}' },
      (journal) => async (call) => {
        await journal.sending(call.number, true);
        return onCall(call, stop);
      },
      stop.signal,
    );
    const code = end.status === 'failed' ? end.code : undefined;
    const text = outcomeText({ end, ...outcome });
    await this.#store.ended(executionId, { status: end.status, code, usage: outcome.usage, outcome: text, response: '{}' });
    return (await this.#store.read(executionId)) as StoredExecution; // it was just written
  }

  replay(recording: Recording, more: Partial<ReplayOptions> = {}): Promise<Replayed> {
    return replay(recording, this.#replayer, { sameEngine: true, programFor, signal: new AbortController().signal, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#runs.leave();
    await Promise.all([this.executor.close(), this.#replayer.close(), this.#store.close()]);
  }
}

const echo = ({ arguments: args }: ToolCall): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: args });
