import { toSandboxError } from '../errors.ts';

/** Keys remembered of one process. Forgetting one costs a message. */
const MAX_KNOWN = 4_096;

/** Programs that the executor makes ahead at one time, as far as we know. */
const MAX_EXPECTED = 64;

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
  readonly #expected = new Set<string>();

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

  /** The executor will be asked to make this program. False when it was already, or when it has enough to do. */
  expect(key: string): boolean {
    if (this.#expected.has(key) || this.#expected.size >= MAX_EXPECTED) return false;
    this.#expected.add(key);
    return true;
  }

  isExpected(key: string): boolean {
    return this.#expected.has(key);
  }

  /** The program has come, or will not come. */
  unexpect(key: string): void {
    this.#expected.delete(key);
  }

  /** The executor is another process now. */
  forget(): void {
    this.#known.clear();
    this.#expected.clear();
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
    this.unexpect(key);
    await this.#store.put(key, program);
  }
}
