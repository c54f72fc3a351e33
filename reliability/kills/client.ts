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

  /** The answer of an execution, or to the question for it. */
  wait(executionId: string, timeoutMs: number): Promise<Heard | undefined> {
    return this.#call('wait_execution', { executionId, timeoutMs });
  }

  close(): void {
    this.#http.close();
  }

  async #one(program: KillProgram, submitted: Submitted, random: Random): Promise<void> {
    submitted.add(program);
    const { key, code, input } = program;
    // A task is what its server makes of a request that asks for no other answer.
    const isTask = random.chance(AS_TASK);
    const early = { answerAfterMs: 50 + random.below(2_000), ...(random.chance(0.5) && { wait: 'return-when-waiting' }) };
    const session = program.counts ? { session: sessionOf(submitted, random) } : {};
    const args = { code, input, ...(!isTask && early), ...session, ...(program.isDry && { dryRun: true }) };
    const { answered, drop } = this.#http.post('tools/call', { name: 'execute_code', arguments: args }, isTask ? TASKS : {});
    if (random.chance(DROPS)) {
      submitted.dropped.add(key);
      await Promise.race([answered, sleep(random.below(1_000))]);
      drop();
    }
    const heard = heardIn(await answered);
    if (!heard) return;
    // The server has ended before the program began, or had nobody to go on with it.
    if (isClosing(heard)) return void submitted.closed.add(heard.executionId);
    submitted.hear(key, heard);
    if (heard.status === 'waiting') await this.#goOn(program, heard, submitted, random);
    return undefined;
  }

  async #goOn({ key, isEndless }: KillProgram, { executionId }: Heard, submitted: Submitted, random: Random): Promise<void> {
    if (random.chance(isEndless ? CANCELS_ENDLESS : CANCELS)) {
      submitted.cancelAsked.add(executionId);
      const heard = await this.#call('cancel_execution', { executionId });
      if (!heard || heard.status === 'waiting' || isClosing(heard)) return;
      submitted.hear(key, heard);
      if ((heard.result as { code?: string } | null)?.code === 'ERR_EXECUTE_CANCELLED') submitted.cancelHeard.add(executionId);
    } else if (random.chance(WAITS)) {
      const heard = await this.wait(executionId, random.below(2_500));
      // Of the question, and not of the run.
      if (heard && !isClosing(heard)) submitted.hear(key, heard);
    }
  }

  async #call(name: string, args: Readonly<Record<string, unknown>>): Promise<Heard | undefined> {
    const { answered } = this.#http.post('tools/call', { name, arguments: args });
    return heardIn(await answered, typeof args['executionId'] === 'string' ? args['executionId'] : undefined);
  }
}

function isClosing({ result }: Heard): boolean {
  return (result as { code?: string } | null | undefined)?.code === 'ERR_SERVER_CLOSING';
}

function sessionOf({ sessions }: Submitted, random: Random): string {
  return sessions.size < MOST_SESSIONS ? 'new' : random.pick([...sessions]);
}

/** @param asked - the execution that was asked for: a refusal names none */
function heardIn({ messages }: Exchange, asked?: string): Heard | undefined {
  const result = messages.findLast((message) => message.result !== undefined)?.result;
  const taskId = result?.['taskId'];
  if (typeof taskId === 'string') return { status: 'waiting', executionId: taskId, result: undefined };
  const output = (result?.['structuredContent'] ?? {}) as Partial<Heard> & { error?: { code: string } };
  const { status, executionId = asked, error, session } = output;
  if (status === undefined || executionId === undefined) return undefined;
  return { status, executionId, result: status === 'failed' ? error : output.result, session };
}
