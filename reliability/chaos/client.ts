import { setTimeout as sleep } from 'node:timers/promises';
import type { Era, Exchange } from '../exchange.ts';
import { HttpClient } from '../exchange.ts';
import { CHAOS_CODES } from './codes.ts';
import { judgeExchange, type Weather } from './judge.ts';
import type { Ledger } from './ledger.ts';
import { clip, type Output, type Task } from './task.ts';

const ASKED = { elicitation: {} };
/** A request that is cancelled ends by then, whatever its program does. */
const LONGEST_LEFT_MS = 5_000;
/** No program of the load is worth more, on a busy machine too. */
const LONGEST_ANSWER_MS = 45_000;
const READ_CODES = ['ERR_RESULT_UNKNOWN'];

/** One client over HTTP. Everything that it sends is counted and judged. */
export class ChaosClient {
  readonly #http: HttpClient;
  readonly #ledger: Ledger;
  weather: Weather = 'chaos';

  constructor(url: string, era: Era, ledger: Ledger) {
    this.#http = new HttpClient(url, era);
    this.#ledger = ledger;
  }

  open(): Promise<void> {
    return this.#http.open();
  }

  close(): void {
    this.#http.close();
  }

  async run(task: Task): Promise<Output | undefined> {
    this.#ledger.requests++;
    const began = performance.now();
    const { id, answered, drop } = this.#http.post('tools/call', { name: 'execute_code', arguments: task.arguments });
    if (task.manner === undefined || task.manner === 'wait') {
      const exchange = await answered;
      this.#tellSlow(task, performance.now() - began, LONGEST_ANSWER_MS);
      return this.#judge(task, id, exchange);
    }
    await Promise.race([answered, sleep(task.afterMs)]);
    if (task.manner === 'drop') drop();
    // A 2026 client cancels by going.
    else if (this.#http.era === '2026-07-28') drop();
    else await this.#http.notify('notifications/cancelled', { requestId: id });
    const left = await answered;
    this.#tellSlow(task, performance.now() - began, LONGEST_LEFT_MS);
    return this.#judge(task, id, left);
  }

  /** A call that a person is asked about: says yes, or never comes back. */
  async approve(task: Task, isPatient: boolean): Promise<void> {
    this.#ledger.requests++;
    const call = { name: 'execute_code', arguments: task.arguments };
    const first = this.#http.post('tools/call', call, ASKED);
    const asked = await first.answered;
    const { inputRequests, requestState } = (asked.messages[0]?.result ?? {}) as { inputRequests?: object; requestState?: string };
    if (requestState === undefined) return void this.#judge(task, first.id, asked);
    this.#ledger.ending(task.kind, 'asked');
    if (!isPatient) return undefined;
    const yes = { action: 'accept', content: { approve: true } };
    const inputResponses = Object.fromEntries(Object.keys(inputRequests ?? {}).map((id) => [id, yes]));
    this.#ledger.requests++;
    const second = this.#http.post('tools/call', { ...call, inputResponses, requestState }, ASKED);
    this.#judge(task, second.id, await second.answered);
    return undefined;
  }

  /** Reads the first page of what was kept. */
  async readKept(uri: string, begins: string): Promise<void> {
    this.#ledger.requests++;
    const { answered } = this.#http.post('resources/read', { uri });
    const { messages, broken } = await answered;
    const [message] = messages;
    const text = (message?.result?.['contents'] as { text?: string }[] | undefined)?.[0]?.text;
    this.#ledger.ending('resource', text === undefined ? 'error' : 'read');
    // The oldest go when there is no room.
    if (messages.length === 1 && READ_CODES.some((code) => message?.error?.message.includes(code))) return;
    if (messages.length === 1 && text?.replaceAll(/\s/g, '').startsWith(begins) === true) return;
    this.#ledger.fault('A kept result cannot be read', `${broken ?? ''} ${clip(JSON.stringify(messages), 400)}`);
  }

  /** Saves a skill. True when it was acknowledged. */
  async saveSkill(name: string, code: string): Promise<boolean> {
    this.#ledger.requests++;
    const { answered } = this.#http.post('tools/call', { name: 'save_skill', arguments: { name, description: 'Of the chaos run.', code } });
    const { messages, broken } = await answered;
    const result = messages[0]?.result as { isError?: boolean; structuredContent?: { error?: { code: string } } } | undefined;
    const isSaved = messages.length === 1 && result !== undefined && result.isError !== true;
    const found = JSON.stringify(messages);
    this.#ledger.ending('save skill', isSaved ? 'saved' : 'refused');
    if (!isSaved && !CHAOS_CODES.some((known) => found.includes(known))) {
      this.#ledger.fault('A skill could not be saved', `${broken ?? ''} ${clip(found, 400)}`);
    }
    return isSaved;
  }

  /** What is no request of ours: it has to be refused, and nothing else. */
  async nonsense(method: string, params: Record<string, unknown>): Promise<void> {
    this.#ledger.requests++;
    const { messages, broken }: Exchange = await this.#http.post(method, params).answered;
    this.#ledger.ending('nonsense', 'refused');
    const isRefused = messages.length === 1 && (messages[0]?.error !== undefined || messages[0]?.result?.['isError'] === true);
    if (!isRefused) this.#ledger.fault('Nonsense was not refused', `${broken ?? ''} ${method}: ${clip(JSON.stringify(messages), 400)}`);
  }

  #tellSlow(task: Task, ms: number, longest: number): void {
    this.#ledger.took(ms, `${task.kind}, answered at ${new Date().toISOString()}`);
    if (ms <= longest) return;
    this.#ledger.fault('An answer took too long', `${task.kind}: ${Math.round(ms)} ms: ${clip(JSON.stringify(task.arguments))}`);
  }

  #judge(task: Task, id: number, exchange: Exchange): Output | undefined {
    const output = judgeExchange(task, id, exchange, this.#ledger, this.weather);
    task.done?.(output);
    return output;
  }
}
