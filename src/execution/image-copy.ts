/** Copied at once: a fraction of a millisecond. */
const PIECE_BYTES = 1024 * 1024;

/** A copy of an image, for a thread that it is given to. Of 128 MiB at once the event loop would stand still. */
export class ImageCopy {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #source: Uint8Array;
  #copied = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
    this.bytes = new Uint8Array(source.length);
  }

  /** Copies a piece. @returns whether all of it is copied */
  step(): boolean {
    const end = Math.min(this.#copied + PIECE_BYTES, this.#source.length);
    this.bytes.set(this.#source.subarray(this.#copied, end), this.#copied);
    this.#copied = end;
    return end === this.#source.length;
  }
}
