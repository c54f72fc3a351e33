import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { SandboxError } from '../../errors.ts';
import type { Board } from './board.ts';
import { pagesOf } from '../large-answer.ts';
import { Outbox } from './outbox.ts';
import { RunPort } from './run-port.ts';
import type { LineEvent, LineMessage, MakeResult, MakeTask, RunMessage, WorkerResult, WorkerTask } from '../worker-protocol.ts';

/** Lists that are read in one turn; then timers and the run's own immediates have theirs. */
const LISTS_PER_TURN = 64;

export interface RunWork {
  execute(task: WorkerTask, queuedMs: number): Promise<WorkerResult>;
  make(task: MakeTask): MakeResult;
}

type RunStart = Extract<LineMessage, { type: 'run' }>;

/** The worker's end of its line: begins runs, hands them what comes in, and sends what goes out. */
export class WorkerRuns {
  readonly #port: MessagePort;
  readonly #board: Board;
  readonly #work: RunWork;
  readonly #runs = new Map<number, RunPort>();
  readonly #outbox: Outbox;
  /** Runs to begin when those that are under way have had their turn. */
  readonly #waiting: RunStart[] = [];

  constructor(port: MessagePort, board: Board, work: RunWork) {
    this.#port = port;
    this.#board = board;
    this.#work = work;
    this.#outbox = new Outbox(port);
    port.on('message', (list: readonly LineMessage[]) => this.#receive(list));
  }

  /** Reads on without going back to the event loop: answers that are here already reach their run in one step. */
  #receive(first: readonly LineMessage[]): void {
    let list: readonly LineMessage[] | undefined = first;
    for (let read = 1; list; read++) {
      for (const message of list) this.#obey(message);
      list = read < LISTS_PER_TURN ? this.#nextList() : undefined;
    }
  }

  #nextList(): readonly LineMessage[] | undefined {
    return receiveMessageOnPort(this.#port)?.message;
  }

  #obey(message: LineMessage): void {
    this.#board.beat();
    switch (message.type) {
      case 'run':
        if (this.#runs.size === 0) this.#begin(message);
        else this.#beginLater(message);
        break;
      case 'make':
        this.#make(message.run, message.task);
        break;
      case 'message':
        this.#receiveFor(this.#runs.get(message.run), message.message);
        break;
      case 'ping':
        break;
    }
  }

  /** What came was held for the line; from now on the run holds it, if it is still there. */
  #receiveFor(port: RunPort | undefined, message: RunMessage): void {
    const pages = pagesOf(message);
    if (pages > 0) this.#board.hold(-pages);
    port?.receive(message);
    if (pages > 0) port?.measure();
  }

  /** What has begun goes on first: the fewer runs are half way, the fewer instances are in use. */
  #beginLater(message: RunStart): void {
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setImmediate(() => this.#beginNext());
  }

  #beginNext(): void {
    const next = this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#beginNext());
    if (next) this.#begin(next);
  }

  #begin(message: RunStart): void {
    if (this.#board.begin(message.slot)) void this.#run(message);
    else this.#post({ type: 'skipped', slot: message.slot });
  }

  async #run({ run, slot, queuedMs, task }: RunStart): Promise<void> {
    const port = new RunPort(run, (event) => this.#post(event), this.#board, this.#outbox);
    this.#runs.set(run, port);
    port.resume();
    // Loading a bundle tells no slices.
    if (!task.program) this.#outbox.flush();
    const event = await this.#end(run, { ...task, port, interrupt: this.#board.flag(slot) }, queuedMs);
    this.#runs.delete(run);
    port.close();
    // The calls that nobody awaits took theirs along.
    const history = port.takeHistory();
    this.#post(event.type === 'end' && history ? { ...event, history } : event);
    this.#board.busy = false;
  }

  async #end(run: number, task: WorkerTask, queuedMs: number): Promise<LineEvent> {
    try {
      return { type: 'end', run, ...(await this.#work.execute(task, queuedMs)) };
    } catch (thrown) {
      return failed(run, thrown);
    }
  }

  #make(run: number, task: MakeTask): void {
    this.#outbox.flush();
    this.#board.busy = true;
    try {
      this.#post({ type: 'made', run, result: this.#work.make(task) });
    } catch (thrown) {
      this.#post(failed(run, thrown));
    } finally {
      this.#board.busy = false;
    }
  }

  #post(event: LineEvent): void {
    this.#outbox.post(event);
    // While another run computes, its slices send what waits.
    if (this.#runs.size > 1 || this.#waiting.length > 0) this.#outbox.flushSoon();
    else this.#outbox.flush();
  }
}

function failed(run: number, thrown: unknown): LineEvent {
  if (thrown instanceof SandboxError) return { type: 'failed', run, message: thrown.message, code: thrown.code };
  return { type: 'failed', run, message: thrown instanceof Error ? thrown.message : String(thrown) };
}
