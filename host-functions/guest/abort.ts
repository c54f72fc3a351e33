/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import { Event, EventTarget, dispatch, listen, tag, unlisten } from './events.ts';
import * as p from './primordials.ts';
import { addTimer } from './timers.ts';

const NativeDOMException = (globalThis as unknown as { DOMException: new (message: string, name: string) => Error }).DOMException;
/** Only the runtime may construct signals. */
const KEY = {};

type Handler = (event: Event) => unknown;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #handler: Handler | null = null;
  /** What it follows, and what follows it: signals of `AbortSignal.any`. */
  #sources = p.newList<AbortSignal>();
  #followers = p.newList<AbortSignal>();

  constructor(key?: unknown) {
    if (key !== KEY) {
      throw new p.NativeTypeError('AbortSignal: use new AbortController(), AbortSignal.timeout(ms) or AbortSignal.any(signals)');
    }
    super();
  }
  get onabort(): Handler | null {
    return this.#handler;
  }
  /** Called in the place among the listeners that it got when it was first set. */
  set onabort(value: unknown) {
    const handler = typeof value === 'function' ? (value as Handler) : null;
    if (handler === null) unlisten(this, 'abort', this.#callHandler);
    else listen(this, 'abort', this.#callHandler);
    this.#handler = handler;
  }
  readonly #callHandler = (event: Event): void => {
    if (this.#handler !== null) p.apply(this.#handler as () => unknown, this, [event]);
  };
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
      const { length } = signal.#sources;
      if (length === 0) combined.#follow(signal);
      for (let i = 0; i < length; i++) combined.#follow(signal.#sources[i]);
    }
    return combined;
  }
  #follow(source: AbortSignal): void {
    p.push(this.#sources, source);
    p.push(source.#followers, this);
  }
  #take(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
  }
  static doAbort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#take(reason === undefined ? new NativeDOMException('This operation was aborted', 'AbortError') : reason);
    const told = p.newList<AbortSignal>();
    p.push(told, signal);
    const followers = signal.#followers;
    for (let i = 0; i < followers.length; i++) {
      if (followers[i].#aborted) continue;
      followers[i].#take(signal.#reason);
      p.push(told, followers[i]);
    }
    for (let i = 0; i < told.length; i++) dispatch(told[i], new Event('abort'));
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

tag(AbortSignal, 'AbortSignal');
tag(AbortController, 'AbortController');
