import { SandboxError } from '../../errors.ts';
import type { RunStep, ToolCall } from '../run.ts';

/** The steps that a run is to be given once more, one after the other, and where it is among all of its steps. */
export class ScriptedSteps {
  readonly #steps: readonly RunStep[];
  #next = 0;
  #lastAt: number;
  #calls: ReadonlySet<number> = new Set();
  readonly #isAgain: boolean;
  /** The clock of the last step, scripted or not, and how many there were. */
  #givenAt: number;
  #given = 0;

  /**
   * @param steps undefined: the run is not one that was begun before
   * @param start the run's clock when it starts
   */
  constructor(steps: readonly RunStep[] | undefined, start: number) {
    this.#steps = steps ?? [];
    this.#isAgain = steps !== undefined;
    this.#lastAt = start;
    this.#givenAt = start;
    this.#calls = callsOf(steps?.[0]);
  }

  /** The step that comes next; undefined when all have been given. */
  get current(): RunStep | undefined {
    return this.#steps[this.#next];
  }

  /** The run's clock at the last step that was given. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Whether an answer to that call is for the step that comes next, or for what follows all steps. */
  takes(call: number): boolean {
    return this.current === undefined || this.#calls.has(call);
  }

  /** The step was given. */
  advance(): void {
    this.#lastAt = this.current?.[0] ?? this.#lastAt;
    this.#next++;
    this.#calls = callsOf(this.current);
  }

  /** The run is about to be given a step, a scripted one or one of its own. */
  given(now: number): void {
    this.#givenAt = now;
    this.#given++;
  }

  /** Where a call is made by a run that was begun before; undefined in any other. */
  where(fuel: number): Pick<ToolCall, 'at' | 'fuel' | 'step'> | undefined {
    return this.#isAgain ? { at: this.#givenAt, fuel, step: this.#given } : undefined;
  }

  /**
   * @param nextTimer due time of the program's earliest timer
   * @param isRunning whether the program waits for an answer to that call
   * @throws SandboxError ERR_EXECUTION_DIVERGED when the program cannot be given the step that comes next
   */
  check(nextTimer: number | null, isRunning: (call: number) => boolean): void {
    const [at = this.#lastAt, ...calls] = this.current ?? [];
    if (at < this.#lastAt) throw this.diverged('goes back in time');
    if (calls.length === 0 && nextTimer === null) throw this.diverged('runs a timer, and the program has set none');
    if (calls.length === 0 && (nextTimer ?? 0) > at) throw this.diverged('runs a timer, and the earliest one of the program is due later');
    const strange = calls.find((call, index) => calls.indexOf(call) !== index || !isRunning(call));
    if (strange !== undefined) throw this.diverged(`answers call ${strange}, and the program does not wait for that`);
  }

  /** The error of a program that ends, or waits for nothing, before its steps do. @param how "completed" and the like */
  ended(how: string): SandboxError {
    return this.diverged(`was to come, and the program ${how}`);
  }

  diverged(why: string): SandboxError {
    const message = `The run had to be begun again, with the answers that it had, and is not the same any more: step ${this.#next + 1} of ${this.#steps.length} ${why}.`;
    return new SandboxError('ERR_EXECUTION_DIVERGED', message);
  }
}

function callsOf(step: RunStep | undefined): ReadonlySet<number> {
  return new Set(step?.slice(1));
}
