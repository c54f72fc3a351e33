import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Message } from './exchange.ts';

const PATIENCE_MS = 60_000;

/** A client of a server's stdin and stdout, in the 2025 revision. It counts the answers to each request. */
export class StdioClient {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (message: Message | undefined) => void>();
  readonly #answers = new Map<number, number>();
  /** What came on stdout that no client can make sense of. */
  readonly strange: string[] = [];
  #id = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#receive(line));
  }

  async open(): Promise<void> {
    await this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'chaos', version: '1' } })
      .answer;
    this.notify('notifications/initialized');
  }

  request(method: string, params: object): { id: number; answer: Promise<Message | undefined> } {
    const id = ++this.#id;
    const { promise, resolve } = Promise.withResolvers<Message | undefined>();
    this.#waiting.set(id, resolve);
    this.#write({ jsonrpc: '2.0', id, method, params });
    const timer = setTimeout(() => resolve(undefined), PATIENCE_MS).unref();
    return { id, answer: promise.finally(() => (clearTimeout(timer), this.#waiting.delete(id))) };
  }

  notify(method: string, params: object = {}): void {
    this.#write({ jsonrpc: '2.0', method, params });
  }

  /** Requests that got more than one answer. */
  answeredTwice(): number[] {
    return [...this.#answers].filter(([, count]) => count > 1).map(([id]) => id);
  }

  #write(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      this.strange.push(line.slice(0, 200));
      return;
    }
    if (typeof message.id !== 'number' || message.method !== undefined) return;
    this.#answers.set(message.id, (this.#answers.get(message.id) ?? 0) + 1);
    this.#waiting.get(message.id)?.(message);
  }
}
