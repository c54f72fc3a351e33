import { pause } from './abortable.ts';

const GAP_MS = 250;

/** Has the tools of a server listed again: one listing at a time, and not without end for a server that tells of changes without end. */
export class Relisting {
  readonly #list: () => Promise<void> | undefined;
  readonly #closing: AbortSignal;
  #running: Promise<void> | undefined;
  #isWantedAgain = false;

  /** @param list never rejects; gives undefined while there is no connection to list the tools of */
  constructor(list: () => Promise<void> | undefined, closing: AbortSignal) {
    this.#list = list;
    this.#closing = closing;
  }

  /** There may be a change. */
  want(): void {
    if (this.#closing.aborted) return;
    const listing = this.#running === undefined ? this.#list() : undefined;
    // Before the first list is in, or while another is on its way: there may be a change that it does not have.
    this.#isWantedAgain = listing === undefined;
    if (listing !== undefined) this.#running = this.#after(listing);
  }

  /** The first list of a connection is in. */
  catchUp(): void {
    if (this.#isWantedAgain) this.want();
  }

  async #after(listing: Promise<void>): Promise<void> {
    await listing;
    await pause(GAP_MS, this.#closing);
    this.#running = undefined;
    this.catchUp();
  }
}
