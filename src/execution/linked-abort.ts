/** A signal that fires with another one, or by itself. The other one forgets it when it is closed. */
export class LinkedAbort {
  readonly #of: AbortSignal;
  readonly #controller = new AbortController();
  readonly #follow = (): void => this.#controller.abort(this.#of.reason);

  constructor(of: AbortSignal) {
    this.#of = of;
    if (of.aborted) this.#follow();
    else of.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller.abort();
  }

  close(): void {
    this.#of.removeEventListener('abort', this.#follow);
  }
}
