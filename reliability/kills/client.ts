import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient, type Exchange } from '../exchange.ts';
import type { Random } from '../random.ts';
import { anyProgram, type KillProgram } from './programs.ts';
import type { Heard, Submitted } from './submitted.ts';

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const MOST_SESSIONS = 24;
const DROPS = 0.05;
const AS_TASK = 0.2;
const WAITS = 0.4;
const CANCELS = 0.08;
const CANCELS_ENDLESS = 0.6;

/** A client of the kill test: what breaks off tells nothing. */
export class KillClient {
  readonly #http: HttpClient;

  constructor(url: string) {
    this.#http = new HttpClient(url, '2026-07-28');
  }

  /** One program after the other, until it is over. */
  async work(submitted: Submitted, random: Random, isOver: () => boolean): Promise<void> {
    while (!isOver()) await this.#one(anyProgram(`k${submitted.sent}`, random), submitted, random);
    this.close();
  }

  /** Runs a program to its end. */
  execute(args: Readonly<Record<string, unknown>>): Promise<Heard | undefined> {
    return this.#call('execute_code', args);
  }

  /** The answer of an execution; undefined when it is not known. */
  wait(executionId: string, timeoutMs: number): Promise<Heard | undefined> {
    return this.#call('wait_execution', { executionId, timeoutMs });
  }

  close(): void {
    this.#http.close();
  }

  async #one(program: KillProgram, submitted: Submitted, random: Random): Promise<void> {
    submitted.add(program);
    const { key, code, input } = program;
    const wait = random.chance(0.5) ? { wait: 'return-when-waiting' } : {};
    const session = program.counts ? { session: sessionOf(submitted, random) } : {};
    const args = { code, input, answerAfterMs: 50 + random.below(2_000), ...wait, ...session, ...(program.isDry && { dryRun: true }) };
    const capabilities = random.chance(AS_TASK) ? TASKS : {};
    const { answered, drop } = this.#http.post('tools/call', { name: 'execute_code', arguments: args }, capabilities);
    if (random.chance(DROPS)) {
      submitted.dropped.add(key);
      await Promise.race([answered, sleep(random.below(1_000))]);
      drop();
    }
    const heard = heardIn(await answered);
    if (!heard) return;
    submitted.hear(key, heard);
    if (heard.status === 'waiting') await this.#goOn(program, heard, submitted, random);
  }

  async #goOn({ key, isEndless }: KillProgram, { executionId }: Heard, submitted: Submitted, random: Random): Promise<void> {
    if (random.chance(isEndless ? CANCELS_ENDLESS : CANCELS)) {
      submitted.cancelAsked.add(executionId);
      const heard = await this.#call('cancel_execution', { executionId });
      if (!heard || heard.status === 'waiting') return;
      submitted.hear(key, heard);
      if ((heard.result as { code?: string } | null)?.code === 'ERR_EXECUTE_CANCELLED') submitted.cancelHeard.add(executionId);
    } else if (random.chance(WAITS)) {
      const heard = await this.wait(executionId, random.below(2_500));
      if (heard) submitted.hear(key, heard);
    }
  }

  async #call(name: string, args: Readonly<Record<string, unknown>>): Promise<Heard | undefined> {
    const { answered } = this.#http.post('tools/call', { name, arguments: args });
    return heardIn(await answered);
  }
}

function sessionOf({ sessions }: Submitted, random: Random): string {
  return sessions.size < MOST_SESSIONS ? 'new' : random.pick([...sessions]);
}

function heardIn({ messages }: Exchange): Heard | undefined {
  const result = messages.findLast((message) => message.result !== undefined)?.result;
  const taskId = result?.['taskId'];
  if (typeof taskId === 'string') return { status: 'waiting', executionId: taskId, result: undefined };
  const output = (result?.['structuredContent'] ?? {}) as Partial<Heard> & { error?: { code: string } };
  const { status, executionId, error, session } = output;
  if (status === undefined || executionId === undefined) return undefined;
  // The server was closing, or not there yet: nothing was accepted, or it goes on without us.
  if (error?.code === 'ERR_SERVER_CLOSING') return undefined;
  return { status, executionId, result: status === 'failed' ? error : output.result, session };
}
