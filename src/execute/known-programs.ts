import { toSandboxError } from '../errors.ts';

/** Keys remembered of one process. Forgetting one costs a message. */
const MAX_KNOWN = 4_096;

/** Programs on disk. A cache that fails is a cache without the program. */
export interface ProgramStore {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, program: Uint8Array): Promise<void>;
}

/** Which programs the living executor has, as far as we know, and the store for those that it does not. It asks when we are wrong. */
export class KnownPrograms {
  readonly #store: ProgramStore;
  readonly #warn: (message: string) => void;
  readonly #known = new Set<string>();

  constructor(store: ProgramStore, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** The executor has this program now. */
  remember(key: string): void {
    this.#known.add(key);
    const [oldest] = this.#known;
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The executor is another process now. */
  forget(): void {
    this.#known.clear();
  }

  /** The encoded program, when the store has it. */
  async stored(key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#store.get(key);
    } catch (error) {
      this.#warn(`A cached program cannot be read: ${toSandboxError(error).message}`);
      return undefined;
    }
  }

  /** Keeps a program that the executor has made. */
  async keep(key: string, program: Uint8Array): Promise<void> {
    this.remember(key);
    await this.#store.put(key, program);
  }
}
