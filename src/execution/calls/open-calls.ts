import type { ToolAnswer, ToolCall } from '../../execute/run.ts';
import { sizeOf, type CallMemory } from './call-memory.ts';
import type { WaitReason } from '../durable-run.ts';
import type { StoredCall } from '../execution-store.ts';

/** A call that the run has not taken the answer of, as far as is known. */
export interface OpenCall {
  readonly call: ToolCall;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Whether it is being made, by this process. */
  isBegun: boolean;
  /** Whether the store knows of it. */
  isStored: boolean;
  isAnswered: boolean;
  /** Kept until the run has taken it; absent when it is answered and memory has no room: then the store has it. */
  answer?: ToolAnswer | undefined;
  /** Of its answer, as counted in memory. */
  bytes: number;
  /** Of its arguments, as counted in memory; undefined where these find no room. */
  readonly argumentBytes: number | undefined;
  /** How far it was, in the process before. */
  before?: StoredCall | undefined;
  /** The question to a person about it. */
  question?: { readonly id: string; readonly text: string } | undefined;
  /** The run is begun again and has not made it again yet. */
  isMissing: boolean;
  /** A step that was told before settles it: nothing more is heard of it. */
  isSettledBefore: boolean;
  /** The attempt that waits for it. */
  waiter?: ((answer: ToolAnswer) => void) | undefined;
}

/** The open calls of one run by number, with their answers as far as memory has room for them. */
export class OpenCalls {
  readonly #memory: CallMemory;
  readonly #whose: string;
  readonly #calls = new Map<number, OpenCall>();

  /** @param whose - run it is: the principal, or what stands for it */
  constructor(memory: CallMemory, whose: string) {
    this.#memory = memory;
    this.#whose = whose;
  }

  get(number: number): OpenCall | undefined {
    return this.#calls.get(number);
  }

  values(): Iterable<OpenCall> {
    return this.#calls.values();
  }

  /** @param since milliseconds since 1970 */
  add(call: ToolCall, since: number): OpenCall {
    const bytes = call.arguments.length;
    const open: OpenCall = {
      argumentBytes: this.#memory.arguments.take(this.#whose, bytes) ? bytes : undefined,
      call,
      since,
      isBegun: false,
      isStored: false,
      isAnswered: false,
      bytes: 0,
      isMissing: false,
      isSettledBefore: false,
    };
    this.#calls.set(call.number, open);
    return open;
  }

  /** One that is stored. */
  addStored(stored: StoredCall, executionId: string): void {
    const { number, server, tool, arguments: args, at, answer, stage } = stored;
    const open = this.add({ executionId, number, server, tool, arguments: args }, at);
    open.isStored = true;
    open.isAnswered = answer !== undefined || stage === 'answered';
    if (!open.isAnswered) open.before = stored;
    else if (answer !== undefined && this.keep(open, answer)) open.answer = answer;
  }

  /** Counts an answer. @returns whether there is room for it */
  keep(open: OpenCall, answer: ToolAnswer): boolean {
    const bytes = sizeOf(answer);
    const hasRoom = this.#memory.answers.take(this.#whose, bytes);
    if (hasRoom) open.bytes += bytes;
    return hasRoom;
  }

  /** The run has its answer. */
  remove({ call, bytes, argumentBytes = 0 }: OpenCall): void {
    if (!this.#calls.delete(call.number)) return;
    this.#memory.answers.giveBack(this.#whose, bytes);
    this.#memory.arguments.giveBack(this.#whose, argumentBytes);
  }

  /** Counts an answer until it is written. @returns false when too much is on its way already */
  write(answer: ToolAnswer, written: () => Promise<unknown>): boolean {
    const bytes = sizeOf(answer);
    if (!this.#memory.unwritten.take(this.#whose, bytes)) return false;
    void written().finally(() => this.#memory.unwritten.giveBack(this.#whose, bytes));
    return true;
  }

  clear(): void {
    for (const open of this.#calls.values()) this.remove(open);
  }

  /** What the run waits for. */
  reasons(): WaitReason[] {
    const waiting = [...this.#calls.values()].filter(({ isAnswered, isMissing }) => !isAnswered && !isMissing);
    return waiting.map(({ call: { number, server, tool }, since, question }) => {
      const of = { call: number, server, tool, since };
      return question === undefined ? { kind: 'tool', ...of } : { kind: 'approval', ...of, approval: question.id, text: question.text };
    });
  }
}
