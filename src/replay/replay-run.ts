import { SandboxError } from '../errors.ts';
import type { RunEvents, RunHistory, RunOutcome, ToolAnswer, ToolCall } from '../execute/run.ts';
import { compareOutcomes, type Difference } from './compare.ts';
import { FileReads } from './file-reads.ts';
import { endsFromOutside, outcomeOf, type RecordedOutcome } from './recorded-outcome.ts';
import type { RecordedCall, Recording } from './recording.ts';
import type { Replayed, ReplayOptions } from './replay.ts';

/** A call as the replay came by it. */
export interface ReplayedCall {
  readonly number: number;
  readonly server: string;
  readonly tool: string;
  readonly arguments: string;
  /** The run's clock, in milliseconds since its start. */
  readonly atMs: number;
  /** Fuel used when it was made. */
  readonly fuel: number;
  /** What the program was answered; undefined when nothing is recorded. */
  readonly answer: ToolAnswer | undefined;
}

const NEVER = new Promise<never>(() => undefined);

/** One replay: answers its calls as they were answered, and looks at what it does. */
export class ReplayRun implements RunEvents {
  readonly #recording: Recording;
  readonly #options: Pick<ReplayOptions, 'until' | 'sameEngine' | 'onCall'>;
  readonly #recorded: ReadonlyMap<number, RecordedCall>;
  /** By call, the number of steps after which it has been settled. */
  readonly #settledAt: ReadonlyMap<number, number>;
  readonly #files: FileReads;
  readonly #stop = new AbortController();
  readonly #made = new Map<number, ReplayedCall>();
  #difference: Difference | undefined;
  /** Steps given when it stopped at `until`. */
  #untilStep: number | undefined;
  #waits: { readonly nextTimer: number | null } | undefined;

  constructor(recording: Recording, options: Pick<ReplayOptions, 'until' | 'sameEngine' | 'onCall'>) {
    this.#recording = recording;
    this.#options = options;
    this.#recorded = new Map(recording.calls.map((call) => [call.number, call]));
    this.#settledAt = new Map(recording.steps.flatMap(([, ...calls], index) => calls.map((call) => [call, index + 1] as const)));
    this.#files = new FileReads(recording.files);
  }

  /** Fires when there is no more to see. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  call(call: ToolCall): Promise<ToolAnswer> {
    const { number, step = 0 } = call;
    const { until } = this.#options;
    if (this.#isOver || step > this.#recording.steps.length) return NEVER;
    const recorded = this.#recorded.get(number);
    const made = this.#madeCall(call, recorded?.answer as ToolAnswer | undefined);
    this.#difference ??= this.#compareCall(call, recorded);
    if (number === until) this.#untilStep = step;
    // What the same message holds beside it comes first.
    if (this.#isOver) setImmediate(() => this.#stop.abort());
    // What the run was not given in its steps it is not given at all.
    return made.answer && this.#settledAt.has(number) ? Promise.resolve(made.answer) : NEVER;
  }

  /** Nothing that is woken is replayed. */
  answer(): Promise<ToolAnswer> {
    return Promise.reject(new SandboxError('ERR_INTERNAL', 'A replay has no calls from before.'));
  }

  history({ files }: RunHistory): void {
    for (const file of files) this.#files.add(file);
    if (this.#difference === undefined && (this.#difference = this.#files.difference(false))) setImmediate(() => this.#stop.abort());
  }

  /** All steps have been given, and it has not ended. */
  waiting(nextTimer: number | null): void {
    this.#waits ??= { nextTimer };
    this.#stop.abort();
  }

  result(outcome: RunOutcome | undefined): Replayed {
    const { expected } = this.#recording;
    const replayed = outcome && outcomeOf(outcome);
    const known = this.#difference ?? this.#lostWay(outcome);
    if (known) return { status: 'different', differences: [known], outcome: undefined, pending: [] };
    if (this.#untilStep !== undefined) return this.#stopped(undefined);
    if (expected === undefined) return this.#upToNow(replayed);
    const differences = this.#compareEnds(expected, replayed);
    const status = differences.some(({ isNote }) => isNote !== true) ? 'different' : 'same';
    const outside = endsFromOutside(expected) && expected.code !== undefined && { endedFromOutside: expected.code };
    return { status, differences, outcome: replayed, pending: [], ...outside };
  }

  get #isOver(): boolean {
    return this.#difference !== undefined || this.#untilStep !== undefined;
  }

  #madeCall({ number, server, tool, arguments: text, at = this.#recording.now, fuel = 0 }: ToolCall, answer?: ToolAnswer): ReplayedCall {
    const isAnswered = this.#settledAt.has(number);
    const atMs = at - this.#recording.now;
    const made = { number, server, tool, arguments: text, atMs, fuel, answer: isAnswered ? answer : undefined };
    this.#made.set(number, made);
    this.#options.onCall?.(made);
    return made;
  }

  #compareCall(call: ToolCall, recorded: RecordedCall | undefined): Difference | undefined {
    const what = `call ${call.number}`;
    const { expected } = this.#recording;
    // One that never left is not stored, and counted all the same.
    const name = recorded ?? expected?.calls?.[call.number - 1];
    if (name === undefined) {
      const mayBeNew = expected === undefined || expected.calls === undefined || endsFromOutside(expected);
      return mayBeNew ? undefined : { what, recorded: 'nothing', replayed: `${nameOf(call)} ${call.arguments}` };
    }
    if (nameOf(name) !== nameOf(call)) return { what, recorded: nameOf(name), replayed: nameOf(call) };
    if (recorded === undefined || recorded.arguments === call.arguments) return undefined;
    return { what: `arguments of ${what} (${nameOf(call)})`, recorded: recorded.arguments, replayed: call.arguments };
  }

  /** The program did not go the way of its steps. */
  #lostWay(outcome: RunOutcome | undefined): Difference | undefined {
    if (outcome?.end.status !== 'failed' || outcome.end.code !== 'ERR_EXECUTION_DIVERGED') return undefined;
    const { message } = outcome.end;
    const reason = message.slice(message.lastIndexOf(': step ') + 2);
    const call = this.#missing(this.#callsOfStep(reason));
    if (call) return { ...call, replayed: `nothing: ${reason}` };
    return this.#files.difference(true) ?? { what: 'steps', recorded: `${this.#recording.steps.length} of them`, replayed: reason };
  }

  /** Of the step that could not be given, or of all that were to come, as the reason says it. */
  #callsOfStep(reason: string): ReadonlySet<number> {
    const [, first = '1', isEnd] = /^step (\d+) of \d+ (was to come)?/.exec(reason) ?? [];
    const at = Number(first) - 1;
    return new Set(this.#recording.steps.slice(at, isEnd === undefined ? at + 1 : undefined).flatMap(([, ...calls]) => calls));
  }

  /** The first call that the program did not make. @param among Default: all */
  #missing(among?: ReadonlySet<number>): Difference | undefined {
    const call = this.#recording.calls.find(({ number }) => (among?.has(number) ?? true) && !this.#made.has(number));
    return call && { what: `call ${call.number}`, recorded: `${nameOf(call)} ${call.arguments}`, replayed: 'nothing' };
  }

  #compareEnds(expected: RecordedOutcome, replayed: RecordedOutcome | undefined): Difference[] {
    const { sameEngine } = this.#options;
    const isOutside = endsFromOutside(expected);
    const file = this.#files.difference(!isOutside);
    if (file) return [file];
    if (replayed === undefined) return [{ what: 'end', recorded: expected.code ?? expected.status, replayed: 'stopped' }];
    if (this.#waits && !isOutside) return [{ what: 'end', recorded: expected.code ?? expected.status, replayed: this.#waitText() }];
    const missing = this.#waits && this.#missing();
    if (missing) return [missing];
    return compareOutcomes(expected, replayed, { sameEngine });
  }

  get #nextTimer(): number | null {
    return this.#waits?.nextTimer ?? null;
  }

  #waitText(): string {
    const calls = this.#pending().map(({ number }) => `call ${number}`);
    const timer = this.#nextTimer === null ? [] : ['a timer'];
    return `waits for ${[...calls, ...timer].join(', ')}`;
  }

  #stopped(outcome: RecordedOutcome | undefined): Replayed {
    const timer = this.#nextTimer !== null && { nextTimerMs: this.#nextTimer - this.#recording.now };
    return { status: 'stopped', differences: [], outcome, pending: this.#pending(), ...timer };
  }

  /** Of a run that has not ended, as far as it is known. */
  #upToNow(outcome: RecordedOutcome | undefined): Replayed {
    const missing = this.#waits && this.#missing();
    if (missing) return { status: 'different', differences: [missing], outcome: undefined, pending: [] };
    // Its end may not be written down yet.
    return this.#waits ? this.#stopped(outcome) : { status: 'stopped', differences: [], outcome, pending: [] };
  }

  /** Calls made, and not settled by the steps up to there. */
  #pending(): ReplayedCall[] {
    const { until = Infinity } = this.#options;
    const given = this.#untilStep ?? this.#recording.steps.length;
    return [...this.#made.values()].filter(({ number }) => number <= until && !((this.#settledAt.get(number) ?? Infinity) <= given));
  }
}

function nameOf({ server, tool }: Pick<ToolCall, 'server' | 'tool'>): string {
  return `${server}.${tool}`;
}
