import { toSandboxError } from '../../errors.ts';
import { MemoryShares } from '../../memory-shares.ts';
import type { ExecutionEnd } from '../execution-store.ts';

/** How often it is tried again, in milliseconds. */
const AGAIN_MS = 1_000;
/** Of answers and outcomes; past it the oldest goes of whoever has most. */
const MAX_CHARS = 16 * 1024 * 1024;

export interface UnwrittenEnd {
  readonly end: ExecutionEnd;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** The principal, as far as it is known. */
  readonly whose?: string | undefined;
}

/**
 * Ends of executions that could not be written down, since the disk was full, say. The file still says that they go on: until it can be told
 * otherwise whoever asks is answered from here, and what this process has ended does not look as if it waited.
 */
export class UnwrittenEnds {
  readonly #write: (id: string, end: ExecutionEnd) => Promise<void>;
  readonly #ends = new Map<string, UnwrittenEnd>();
  readonly #chars = new MemoryShares(MAX_CHARS);
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(write: (id: string, end: ExecutionEnd) => Promise<void>) {
    this.#write = write;
  }

  /** Writes it down. One that cannot be is kept for later. @throws SandboxError as the write */
  async add(id: string, unwritten: UnwrittenEnd): Promise<void> {
    try {
      await this.#write(id, unwritten.end);
    } catch (error) {
      if (isForNow(error)) this.#keep(id, unwritten);
      throw error;
    }
  }

  find(id: string): UnwrittenEnd | undefined {
    return this.#ends.get(id);
  }

  /** Tries once more, and gives up what cannot be written then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#retry();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #keep(id: string, unwritten: UnwrittenEnd): void {
    this.#forget(id);
    this.#ends.set(id, unwritten);
    this.#chars.force(unwritten.whose ?? '', charsOf(unwritten));
    while (this.#chars.bytes > MAX_CHARS && this.#forgetOne());
    this.#again();
  }

  /** The oldest of whoever has most: nobody pushes out what others have. */
  #forgetOne(): boolean {
    const most = this.#chars.largest();
    for (const [id, { whose = '' }] of this.#ends) {
      if (whose !== most) continue;
      this.#forget(id);
      return true;
    }
    return false;
  }

  #forget(id: string): void {
    const known = this.#ends.get(id);
    if (known && this.#ends.delete(id)) this.#chars.giveBack(known.whose ?? '', charsOf(known));
  }

  #again(): void {
    if (this.#ends.size > 0 && !this.#isClosed) this.#timer ??= setTimeout(() => void this.#retry(), AGAIN_MS).unref();
  }

  async #retry(): Promise<void> {
    this.#timer = undefined;
    for (const [id, { end }] of this.#ends) {
      const error = await this.#write(id, end).then(() => undefined, toSandboxError);
      // One that cannot be written for now stands for all.
      if (error !== undefined && isForNow(error)) break;
      this.#forget(id);
    }
    this.#again();
  }
}

function isForNow(error: unknown): boolean {
  return toSandboxError(error).code === 'ERR_EXECUTION_STORE';
}

function charsOf({ end }: UnwrittenEnd): number {
  return end.response.length + (end.outcome?.length ?? 0);
}
