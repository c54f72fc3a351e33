import type { Outbox } from './outbox.ts';
import type { Board } from './board.ts';
import { RunRecorder } from './run-recorder.ts';
import type { FileRead, RunHistory, RunStep } from '../run.ts';
import type { LineEvent, RunMessage, SentCall, WorkerMessage } from '../worker-protocol.ts';

const PAGE_BYTES = 65_536;

/** One run's part of its worker's line: gathers the calls of a step into one message, and hears the answers. */
export class RunPort {
  readonly #run: number;
  readonly #send: (event: LineEvent) => void;
  readonly #outbox: Outbox;
  readonly #board: Board;
  #memory: WebAssembly.Memory | undefined;
  #hostBytes: () => number = () => 0;
  #heldPages = 0;
  #calls: SentCall[] = [];
  readonly #recorder = new RunRecorder();
  #awaits: readonly number[] | undefined;
  #hasWaited = false;
  #listener: ((message: RunMessage) => void) | undefined;
  #missed: RunMessage[] = [];

  constructor(run: number, send: (event: LineEvent) => void, board: Board, outbox: Outbox) {
    this.#run = run;
    this.#send = send;
    this.#outbox = outbox;
    this.#board = board;
  }

  /** Gathers a call; it goes out with the others of its step. */
  postMessage({ call: { executionId: _run, ...call } }: WorkerMessage): void {
    this.#calls.push(call);
  }

  /** The run is given something: told before, or with, what that leads to. */
  recordStep(step: RunStep): void {
    if (this.#recorder.step(step)) this.#post(false);
  }

  recordFile(file: FileRead): void {
    if (this.#recorder.file(file)) this.#post(false);
  }

  /** What was recorded and not told yet. */
  takeHistory(): RunHistory | undefined {
    return this.#recorder.take();
  }

  /** A run that goes on waits for the answers of these calls: told when it rests. */
  awaitCalls(calls: readonly number[]): void {
    this.#awaits = calls;
  }

  /** It should be put away and cannot be. */
  cannotLeave(nextTimer: number | null): void {
    this.#send({ type: 'waiting', run: this.#run, nextTimer });
  }

  /** A slice of fuel is over and the step is not: what there is to say must not wait for its end. */
  slice(): void {
    this.#board.beat();
    this.#sendCalls();
    this.#outbox.flush();
  }

  /** The step is over: sends its calls, and says that other runs may have their turn. */
  rest(): void {
    const isFirst = !this.#hasWaited;
    this.#hasWaited = true;
    if (isFirst || this.#calls.length > 0) this.#post(isFirst);
    this.measure();
    this.#board.busy = false;
  }

  /** The next step begins. */
  resume(): void {
    this.#board.beat();
    this.#board.busy = true;
  }

  /** The one that hears what comes in for the run. */
  onMessage(listener: (message: RunMessage) => void): void {
    this.#listener = listener;
    for (const message of this.#missed.splice(0)) listener(message);
  }

  /** Hands a message in. */
  receive(message: RunMessage): void {
    if (this.#listener) this.#listener(message);
    else this.#missed.push(message);
  }

  /** From now on the run holds this memory. @param hostBytes what the host holds for it besides. */
  hold(memory: WebAssembly.Memory, hostBytes: () => number = () => 0): void {
    this.#memory = memory;
    this.#hostBytes = hostBytes;
    this.measure();
  }

  /** Whether the run may hold so many pages more; then it does. */
  mayGrow(pages: number): boolean {
    if (!this.#board.tryHold(pages)) return false;
    this.#heldPages += pages;
    return true;
  }

  /** The run is over: it holds nothing any more. Calls that nobody waits for still go out. */
  close(): void {
    this.#sendCalls();
    this.#memory = undefined;
    this.measure();
  }

  #sendCalls(): void {
    if (this.#calls.length > 0) this.#post(false);
  }

  #post(waits: boolean): void {
    const calls = this.#calls;
    const awaits = this.#awaits;
    this.#calls = [];
    this.#awaits = undefined;
    const history = this.#recorder.take();
    this.#send({ type: 'step', run: this.#run, calls, waits, ...(history && { history }), ...(awaits && { awaits }) });
  }

  /** Tells how much the run holds now. */
  measure(): void {
    const pages = this.#memory ? this.#memory.buffer.byteLength / PAGE_BYTES + Math.ceil(this.#hostBytes() / PAGE_BYTES) : 0;
    if (pages !== this.#heldPages) this.#board.hold(pages - this.#heldPages);
    this.#heldPages = pages;
  }
}
