import { toSandboxError } from '../errors.ts';

/** Keys remembered of one process. Forgetting one costs a message. */
const MAX_KNOWN = 4_096;

/** Programs that the executor was asked to make ahead: it says nothing of those that it does not make. */
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
  readonly #made = new Set<string>();

  constructor(store: ProgramStore, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** The executor has this program now. */
  remember(key: string): void {
    addBounded(this.#known, key, MAX_KNOWN);
  }

  /** The executor will be asked to make this program. False when it was already. */
  expect(key: string): boolean {
    if (this.#expected.has(key)) return false;
    addBounded(this.#expected, key, MAX_EXPECTED);
    return true;
  }

  isExpected(key: string): boolean {
    return this.#expected.has(key);
  }

  /** The executor is another process now. */
  forget(): void {
    this.#known.clear();
    this.#expected.clear();
    this.#made.clear();
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

  /** Whether a program that the executor has made is to be kept: one that it was asked for, or that is run, and once of one process. */
  awaits(key: string, isRun: () => boolean): boolean {
    return !this.#made.has(key) && (this.#expected.has(key) || isRun());
  }

  /** Keeps a program that the executor has made. */
  async keep(key: string, program: Uint8Array): Promise<void> {
    this.remember(key);
    this.#expected.delete(key);
    addBounded(this.#made, key, MAX_KNOWN);
    await this.#store.put(key, program);
  }
}

/** The oldest goes when there are too many. */
function addBounded(set: Set<string>, key: string, most: number): void {
  set.add(key);
  const [oldest] = set;
  if (set.size > most && oldest !== undefined) set.delete(oldest);
}
