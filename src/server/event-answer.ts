import type { ServerResponse } from 'node:http';

/** Nobody waits longer than this for the head of an answer: then it comes before what it is about. */
const HEAD_MS = 1_000;
/** Proxies close connections on which nothing comes. */
const KEEP_ALIVE_MS = 15_000;

const HEADERS = {
  'cache-control': 'no-cache, no-transform',
  connection: 'keep-alive',
  'content-type': 'text/event-stream',
  'x-accel-buffering': 'no',
};

/** A stream of server-sent events with one event in it, or none. Head and event leave together when the event comes soon. */
export class EventAnswer {
  readonly #res: ServerResponse;
  readonly #head: NodeJS.Timeout;
  #keepAlive: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(res: ServerResponse) {
    this.#res = res;
    this.#head = setTimeout(() => this.#begin(), HEAD_MS);
    // The client is gone, or the server ends all connections: the run may go on, but nobody is told any more.
    res.once('close', () => this.#stop());
  }

  /** Ends the stream, with a message or without one. Only the first time counts. */
  end(message?: object): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    if (!this.#res.headersSent) this.#res.writeHead(200, HEADERS);
    this.#res.end(message === undefined ? '' : `event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  #stop(): void {
    clearTimeout(this.#head);
    clearInterval(this.#keepAlive);
  }

  #begin(): void {
    this.#res.writeHead(200, HEADERS);
    this.#res.flushHeaders();
    this.#keepAlive = setInterval(() => this.#res.write(': keepalive\n\n'), KEEP_ALIVE_MS);
  }
}
