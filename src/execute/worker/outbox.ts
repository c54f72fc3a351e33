import type { MessagePort } from 'node:worker_threads';
import type { LineEvent } from '../worker-protocol.ts';

/**
 * What a worker has to say. Waking the main thread costs more than the message, so while other runs of the worker have work to do
 * their news go together; never later than a slice of fuel, for a step may be long.
 */
export class Outbox {
  readonly #port: MessagePort;
  #events: LineEvent[] = [];
  #isScheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  post(event: LineEvent): void {
    this.#events.push(event);
  }

  /** Sends what is there at the end of this turn of the event loop. */
  flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Sends what is there. */
  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    this.#port.postMessage(events, events.flatMap(movedBuffers));
  }
}

/** Memory that changes its thread instead of being copied. */
function movedBuffers(event: LineEvent): ArrayBuffer[] {
  if (event.type !== 'end') return [];
  const { large, hibernated } = event;
  return [large?.result, large?.logs, hibernated?.image].flatMap((bytes) => (bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : []));
}
