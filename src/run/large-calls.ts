import { setImmediate as turn } from 'node:timers/promises';

/** Arguments up to this size never wait: what is made of them is as small. */
const SMALL_CHARACTERS = 64 * 1024;
/** What the large arguments of one principal may take at one time as text and as values, in bytes, roughly. */
const MAX_BYTES = 48 * 1024 * 1024;
/** What a value takes, such as an empty object in a list, of which the text has three characters. */
const VALUE_BYTES = 64;
const COMMA = 0x2c;

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

/** The large calls of one principal: as many as there is room for at once, the others in the order in which they came. */
class Room {
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #calls = 0;

  get isEmpty(): boolean {
    return this.#calls === 0 && this.#waiting.length === 0;
  }

  async enter(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) this.#take(bytes);
    else if (!(await this.#wait(bytes, signal))) return false;
    // What has come in beside it has its turn between two large ones.
    await turn();
    return true;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
    this.#calls--;
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.bytes);
      next.begin();
    }
  }

  #fits(bytes: number): boolean {
    return this.#calls === 0 || this.#bytes + bytes <= MAX_BYTES;
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#calls++;
  }

  #wait(bytes: number, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { bytes, begin: (): void => resolve(true) };
    this.#waiting.push(waiting);
    const cancel = (): void => {
      const place = this.#waiting.indexOf(waiting);
      if (place >= 0) this.#waiting.splice(place, 1);
      if (place >= 0) resolve(false);
    };
    signal.addEventListener('abort', cancel, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', cancel));
  }
}

/**
 * Bounds what arguments of tool calls make the gateway hold: they are parsed, checked and kept as objects until their tool has answered,
 * and many runs can make many large calls at once. Each principal has room of its own, so that none waits for another's slow tools.
 */
export class LargeCalls {
  readonly #rooms = new Map<string, Room>();

  /** Makes a call with this text of arguments when there is room for it; undefined when its run has ended before that. */
  make<T>(principal: string, text: string, signal: AbortSignal, call: () => Promise<T>): Promise<T | undefined> {
    return text.length <= SMALL_CHARACTERS ? call() : this.#makeLarge(principal, bytesOf(text), signal, call);
  }

  async #makeLarge<T>(principal: string, bytes: number, signal: AbortSignal, call: () => Promise<T>): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    const room = this.#rooms.get(principal) ?? new Room();
    this.#rooms.set(principal, room);
    if (!(await room.enter(bytes, signal))) return undefined;
    try {
      return signal.aborted ? undefined : await call();
    } finally {
      room.leave(bytes);
      if (room.isEmpty) this.#rooms.delete(principal);
    }
  }
}

/** What a JSON text takes, and its value beside it, roughly. Commas in texts count too: that makes it too much, and never too little. */
export function bytesOf(text: string): number {
  let values = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === COMMA) values++;
  return text.length + values * VALUE_BYTES;
}
