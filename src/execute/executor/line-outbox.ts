import type { MessagePort } from 'node:worker_threads';
import type { LineMessage } from '../worker-protocol.ts';

/** What goes to one worker: what comes up in one turn of the event loop leaves in one message, since waking a worker costs more than the message. */
export class LineOutbox {
  readonly #port: MessagePort;
  #messages: LineMessage[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  send(message: LineMessage): void {
    this.#messages.push(message);
    if (this.#messages.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const list = this.#messages;
    this.#messages = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    this.#port.postMessage(list, list.flatMap(movedBuffers));
  }
}

/** Memory that changes its thread instead of being copied. */
function movedBuffers(event: LineMessage): ArrayBuffer[] {
  if (event.type !== 'message' || event.message.type !== 'answer') return [];
  const { answer } = event.message;
  return answer instanceof Uint8Array ? [answer.buffer] : [];
}
