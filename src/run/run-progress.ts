import type { OnCall } from '../execute/run-handle.ts';
import type { RunLimits } from '../execute/run.ts';
import type { ProgressEvent } from '../server/sandbox-port.ts';

/** Between two words about a run in which nothing else happens. */
const TICK_MS = 1_000;
const TOTAL = 100;
/** Progress when the program begins, and the most while it runs: what is left over is the answer. */
const RUNNING = 5;
const ENDING = 99;

/** Tells how far a run is: its phase, the calls of tools that it has made, and how much of its limits it has used. */
export interface RunProgress {
  checking(): void;
  /** The program begins: its execution is named, once, for whoever loses the request. `finished` ends what this tells. */
  running(limits: Pick<RunLimits, 'maxToolCalls' | 'timeoutMs' | 'waitMs'>, executionId: string): void;
  /** The same answers to tool calls, counted. */
  counting(onCall: OnCall): OnCall;
  finished(): void;
}

const SILENT: RunProgress = {
  checking: () => undefined,
  running: () => undefined,
  counting: (onCall) => onCall,
  finished: () => undefined,
};

/** @param onProgress absent when nobody listens: then nothing is counted at all */
export function tellProgress(onProgress: ((event: ProgressEvent) => void) | undefined): RunProgress {
  return onProgress ? new ToldProgress(onProgress) : SILENT;
}

class ToldProgress implements RunProgress {
  readonly #tell: (event: ProgressEvent) => void;
  #limits: Pick<RunLimits, 'maxToolCalls' | 'timeoutMs' | 'waitMs'> | undefined;
  #beganAt = 0;
  #calls = 0;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (event: ProgressEvent) => void) {
    this.#tell = tell;
  }

  checking(): void {
    this.#say(1, 'Checking');
  }

  running(limits: Pick<RunLimits, 'maxToolCalls' | 'timeoutMs' | 'waitMs'>, executionId: string): void {
    this.#limits = limits;
    this.#beganAt = performance.now();
    this.#say(RUNNING, `Running ${executionId}`);
    this.#timer = setInterval(() => this.#sayShare(), TICK_MS);
    this.#timer.unref();
  }

  counting(onCall: OnCall): OnCall {
    return (call, signal) => {
      this.#calls++;
      this.#sayShare();
      return onCall(call, signal);
    };
  }

  finished(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sayShare(): void {
    if (!this.#limits || !this.#timer) return;
    const { maxToolCalls, timeoutMs, waitMs } = this.#limits;
    const ms = performance.now() - this.#beganAt;
    const ofCalls = maxToolCalls > 0 ? this.#calls / maxToolCalls : 0;
    // Computing and waiting have a clock each; from here only both together are to be seen.
    const ofTime = ms / (timeoutMs + waitMs);
    const calls = this.#calls === 1 ? '1 tool call' : `${this.#calls} tool calls`;
    const text = `Running: ${calls} (${percent(ofCalls)} of ${maxToolCalls}), ${Math.round(ms / 100) / 10} s (${percent(ofTime)} of the time)`;
    // Rising, whatever the shares are: a little with every word, and never to the end.
    const share = RUNNING + (ENDING - RUNNING) * Math.min(1, Math.max(ofCalls, ofTime));
    this.#say(Math.max(share, this.#last + (ENDING - this.#last) / 1_000), text);
  }

  #say(progress: number, message: string): void {
    this.#last = progress;
    this.#tell({ message, progress, total: TOTAL });
  }
}

function percent(share: number): string {
  return `${Math.round(Math.min(1, share) * 100)} %`;
}
