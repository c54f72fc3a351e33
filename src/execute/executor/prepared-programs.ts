import type { MakeResult, MakeTask } from '../worker-protocol.ts';

/** Programs made ahead whose run has not come: most have none because their check failed. */
const MAX_UNUSED = 256;
/** Programs that are being made at one time. */
const MAX_PREPARING = 16;

/** Programs that are made before their run is there, while the gateway still checks them. */
export class PreparedPrograms {
  readonly #has: (key: string) => boolean;
  readonly #make: (task: MakeTask) => Promise<MakeResult> | undefined;
  readonly #keep: (key: string, made: Uint8Array) => void;
  readonly #preparing = new Map<string, Promise<void>>();
  /** How long each took, in milliseconds. */
  readonly #unused = new Map<string, number>();

  /** @param make starts to make a program; undefined when nobody can. */
  constructor(
    has: (key: string) => boolean,
    make: (task: MakeTask) => Promise<MakeResult> | undefined,
    keep: (key: string, made: Uint8Array) => void,
  ) {
    this.#has = has;
    this.#make = make;
    this.#keep = keep;
  }

  /** Makes a program unless it is there, or there is too much to do. Whatever goes wrong, its run will find out again. */
  prepare(key: string, script: string): void {
    if (this.#has(key) || this.#preparing.has(key) || this.#preparing.size >= MAX_PREPARING) return;
    const making = this.#make({ key, script });
    if (!making) return;
    const began = performance.now();
    const settled = making
      .then((made) => {
        if (made instanceof Uint8Array) this.#made(key, made, performance.now() - began);
      })
      .catch(() => undefined)
      .finally(() => this.#preparing.delete(key));
    this.#preparing.set(key, settled);
  }

  /** Settles when a program that is being made is there, or is not to be had; undefined when it is not being made. */
  preparing(key: string): Promise<void> | undefined {
    return this.#preparing.get(key);
  }

  /** How long the program took that was made ahead for this run; undefined when it was not, or another run had it. */
  take(key: string): number | undefined {
    const ms = this.#unused.get(key);
    this.#unused.delete(key);
    return ms;
  }

  #made(key: string, made: Uint8Array, ms: number): void {
    this.#unused.set(key, ms);
    const [oldest] = this.#unused.keys();
    if (this.#unused.size > MAX_UNUSED && oldest !== undefined) this.#unused.delete(oldest);
    this.#keep(key, made);
  }
}
