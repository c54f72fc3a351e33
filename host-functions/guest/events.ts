/* oxlint-disable typescript/unbound-method -- taken off their owners on purpose, as in primordials.ts */
import { now } from './clock.ts';
import * as p from './primordials.ts';
import { end } from './run.ts';
import { failureOf } from './thrown.ts';

type Callback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Listener {
  type: string;
  callback: Callback;
  capture: boolean;
  once: boolean;
  removed: boolean;
}

interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  signal?: EventTarget & { aborted: boolean };
}

/** The state of events lives here, so that no program can reach the runtime's view of them. */
interface Dispatch {
  target: EventTarget | null;
  current: EventTarget | null;
  stopped: boolean;
  prevented: boolean;
}

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

const AT_TARGET = 2;
const PHASES = p.plain({ NONE: 0, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 });

export class Event {
  readonly #type: string;
  readonly #cancelable: boolean;
  readonly #bubbles: boolean;
  readonly #composed: boolean;
  readonly #timeStamp: number;
  readonly #dispatch: Dispatch = { target: null, current: null, stopped: false, prevented: false };

  constructor(type: string, init?: EventInit) {
    if (arguments.length === 0) throw new p.NativeTypeError('Event: 1 argument is needed, 0 given');
    this.#type = p.NativeString(type);
    this.#bubbles = Boolean(init?.bubbles);
    this.#cancelable = Boolean(init?.cancelable);
    this.#composed = Boolean(init?.composed);
    this.#timeStamp = now();
  }
  get type(): string {
    return this.#type;
  }
  get bubbles(): boolean {
    return this.#bubbles;
  }
  get cancelable(): boolean {
    return this.#cancelable;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }
  get defaultPrevented(): boolean {
    return this.#dispatch.prevented;
  }
  get target(): EventTarget | null {
    return this.#dispatch.target;
  }
  get currentTarget(): EventTarget | null {
    return this.#dispatch.current;
  }
  get composed(): boolean {
    return this.#composed;
  }
  get eventPhase(): number {
    return this.#dispatch.current === null ? 0 : AT_TARGET;
  }
  get isTrusted(): boolean {
    return false;
  }
  composedPath(): EventTarget[] {
    return this.#dispatch.current === null ? [] : [this.#dispatch.current];
  }
  preventDefault(): void {
    if (this.#cancelable) this.#dispatch.prevented = true;
  }
  stopPropagation(): void {
    // Events have one target here: there is nowhere to propagate to.
  }
  stopImmediatePropagation(): void {
    this.#dispatch.stopped = true;
  }
  static dispatchOf(event: Event): Dispatch {
    return event.#dispatch;
  }
  static typeOf(event: Event): string {
    return event.#type;
  }
}
const { dispatchOf, typeOf } = Event;
delete (Event as { dispatchOf?: unknown }).dispatchOf;
delete (Event as { typeOf?: unknown }).typeOf;

export class CustomEvent extends Event {
  readonly #detail: unknown;
  constructor(type: string, init?: EventInit & { detail?: unknown }) {
    if (arguments.length === 0) throw new p.NativeTypeError('CustomEvent: 1 argument is needed, 0 given');
    super(type, init);
    this.#detail = init?.detail ?? null;
  }
  get detail(): unknown {
    return this.#detail;
  }
}

export class EventTarget {
  #listeners = p.newList<Listener>();

  addEventListener(type: string, callback: Callback | null, options?: boolean | ListenerOptions): void {
    if (callback === null || callback === undefined) return;
    const given = typeof options === 'object' && options !== null ? options : undefined;
    const capture = typeof options === 'boolean' ? options : Boolean(given?.capture);
    const listener: Listener = { type: type, callback, capture, once: Boolean(given?.once), removed: false };
    if (given?.signal?.aborted === true || this.#find(listener) !== -1) return;
    p.push(this.#listeners, listener);
    given?.signal?.addEventListener('abort', () => this.#remove(listener), { once: true });
  }

  removeEventListener(type: string, callback: Callback | null, options?: boolean | { capture?: boolean }): void {
    const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
    const at = this.#find({ type: type, callback: callback as Callback, capture, once: false, removed: false });
    if (at !== -1) this.#remove(this.#listeners[at]);
  }

  dispatchEvent(event: Event): boolean {
    const dispatch = dispatchOf(event);
    dispatch.target = dispatch.current = this;
    const type = typeOf(event);
    const all = this.#listeners;
    const count = all.length;
    for (let i = 0; i < count && !dispatch.stopped; i++) {
      const listener = all[i];
      if (listener.removed || listener.type !== type) continue;
      if (listener.once) this.#remove(listener);
      callListener(listener.callback, this, event);
    }
    dispatch.current = null;
    dispatch.stopped = false;
    return !dispatch.prevented;
  }

  #find(wanted: Listener): number {
    for (let i = 0; i < this.#listeners.length; i++) {
      const { type, callback, capture } = this.#listeners[i];
      if (type === wanted.type && callback === wanted.callback && capture === wanted.capture) return i;
    }
    return -1;
  }

  /** Makes a new list: a dispatch that is under way goes on over the old one. */
  #remove(listener: Listener): void {
    listener.removed = true;
    const kept = p.newList<Listener>();
    for (let i = 0; i < this.#listeners.length; i++) {
      if (this.#listeners[i] !== listener) p.push(kept, this.#listeners[i]);
    }
    this.#listeners = kept;
  }
}

/** What a listener throws does not reach the dispatcher; it is uncaught, and ends the run. */
function callListener(callback: Callback, target: EventTarget, event: Event): void {
  try {
    if (typeof callback === 'function') p.apply(callback as () => unknown, target, [event]);
    else callback.handleEvent(event);
  } catch (thrown) {
    end(failureOf(thrown));
  }
}

for (const [name, value] of Object.entries(PHASES)) {
  p.defineProperty(Event, name, { value, enumerable: true });
  p.defineProperty(Event.prototype, name, { value, enumerable: true });
}

/** Gives a class the name that `Object.prototype.toString` shows: bundling may have changed its own. */
export function tag({ prototype }: { prototype: object }, name: string): void {
  p.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}
tag(Event, 'Event');
tag(CustomEvent, 'CustomEvent');
tag(EventTarget, 'EventTarget');

export const dispatch = p.uncurry(EventTarget.prototype.dispatchEvent);
export const listen = p.uncurry(EventTarget.prototype.addEventListener);
export const unlisten = p.uncurry(EventTarget.prototype.removeEventListener);
