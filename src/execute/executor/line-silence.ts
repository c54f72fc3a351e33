/** For how long one worker has given no sign of life although it was asked. */
export class LineSilence {
  /** What the worker had said when it was last asked, and when that was. */
  #asked: { readonly at: number; readonly beats: number } | undefined;

  /**
   * @param now on the monotonic clock
   * @param beats signs of life until now; undefined for a worker that has nothing to do, and need not give any
   * @param ask is called where the worker has said something since it was last asked
   * @returns milliseconds
   */
  look(now: number, beats: number | undefined, ask: () => void): number {
    if (beats !== undefined && this.#asked?.beats === beats) return now - this.#asked.at;
    this.#asked = beats === undefined ? undefined : { at: now, beats };
    if (beats !== undefined) ask();
    return 0;
  }

  /** Time in which this thread was not there to listen counts for nothing. */
  forget(): void {
    this.#asked = undefined;
  }
}
