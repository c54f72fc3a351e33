import type { Exchange, Message } from '../exchange.ts';
import { CHAOS_CODES, LOST_AFTER, RUN_LOST } from './codes.ts';
import type { Ledger } from './ledger.ts';
import { clip, type Output, type Task } from './task.ts';

/** Whether processes are being ended: codes that say so are no right answer in quiet times. */
export type Weather = 'chaos' | 'quiet';

const LONGEST_RUN_MS = 45_000;

/** Judges what a request over HTTP came to. Gives back the answer when there is exactly one. */
export function judgeExchange(task: Task, id: number, exchange: Exchange, ledger: Ledger, weather: Weather): Output | undefined {
  const answers = exchange.messages.filter((message) => message.id === id && message.method === undefined);
  const isLeft = task.manner !== undefined && task.manner !== 'wait';
  if (isLeft && answers.length === 0) {
    ledger.ending(task.kind, 'left');
    return undefined;
  }
  if (answers.length !== 1 || (exchange.broken !== undefined && !isLeft)) {
    const why = exchange.broken ?? `${answers.length} answers, status ${exchange.status}`;
    ledger.ending(task.kind, 'no single answer');
    ledger.fault('A request has not had exactly one answer', `${task.kind}: ${why}: ${clip(JSON.stringify(exchange.messages))}`);
    return undefined;
  }
  return judgeMessage(task, answers[0] as Message, ledger, weather);
}

/** Judges the one answer to a request. */
export function judgeMessage(task: Task, message: Message, ledger: Ledger, weather: Weather): Output | undefined {
  const output = message.result?.['structuredContent'] as Output | undefined;
  if (output === undefined) {
    ledger.ending(task.kind, 'error of the protocol');
    ledger.fault('An answer is no result', `${task.kind}: ${clip(JSON.stringify(message), 400)}`);
    return undefined;
  }
  if (output.executionId !== undefined) {
    if (ledger.executions.has(output.executionId)) ledger.fault('Two answers are of one run', output.executionId);
    ledger.executions.add(output.executionId);
  }
  const code = output.error?.code;
  ledger.ending(task.kind, code ?? output.status);
  const wrong = code === undefined ? wrongResult(task, output) : wrongCode(task, code, weather, ledger);
  if (wrong === undefined) return output;
  ledger.fault(wrong, `${task.kind}: ${clip(JSON.stringify(task.arguments), 300)} -> ${clip(JSON.stringify(output), 600)}`);
  return output;
}

function wrongResult(task: Task, output: Output): string | undefined {
  if (output.status !== 'completed') return `A run has the status ${output.status} and no error`;
  const found = task.judge(output);
  return found === undefined ? undefined : `A right program got a wrong answer: ${found}`;
}

function wrongCode(task: Task, code: string, weather: Weather, ledger: Ledger): string | undefined {
  if (task.codes?.includes(code)) return undefined;
  if (weather === 'chaos' && CHAOS_CODES.includes(code)) return undefined;
  if (weather === 'chaos' && code === RUN_LOST && ledger.runsTakenWithin(LONGEST_RUN_MS) >= LOST_AFTER) return undefined;
  return weather === 'chaos' ? `A request ended with ${code}, which nothing explains` : `With nothing ended any more a request got ${code}`;
}
