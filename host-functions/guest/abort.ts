/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import { Event, EventTarget, dispatch, listen } from './events.ts';
import * as p from './primordials.ts';
import { addTimer } from './timers.ts';

const NativeDOMException = (globalThis as unknown as { DOMException: new (message: string, name: string) => Error }).DOMException;
/** Only the runtime may construct signals. */
const KEY = {};

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  onabort: ((event: Event) => unknown) | null = null;

  constructor(key?: unknown) {
    if (key !== KEY) {
      throw new p.NativeTypeError('AbortSignal: use new AbortController(), AbortSignal.timeout(ms) or AbortSignal.any(signals)');
    }
    super();
    listen(this, 'abort', (event) => {
      if (typeof this.onabort === 'function') p.apply(this.onabort as () => unknown, this, [event]);
    });
  }
  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** A signal that aborts after `ms` of the run's virtual time. */
  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(KEY);
    addTimer(() => abortSignal(signal, new NativeDOMException('The operation timed out.', 'TimeoutError')), ms, [], false);
    return signal;
  }
  static abort(...reason: [unknown?]): AbortSignal {
    const signal = new AbortSignal(KEY);
    abortSignal(signal, reason[0]);
    return signal;
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const combined = new AbortSignal(KEY);
    for (const signal of signals) {
      if (signal.#aborted) {
        abortSignal(combined, signal.#reason);
        break;
      }
      listen(signal, 'abort', () => abortSignal(combined, signal.#reason));
    }
    return combined;
  }
  static doAbort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new NativeDOMException('This operation was aborted', 'AbortError') : reason;
    dispatch(signal, new Event('abort'));
  }
}
const abortSignal = AbortSignal.doAbort;
delete (AbortSignal as { doAbort?: unknown }).doAbort;

export class AbortController {
  readonly #signal = new AbortSignal(KEY);
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}
