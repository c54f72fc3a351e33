import { inject } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import { isHibernated } from '../../src/execute/hibernated-run.ts';
import { RunLost } from '../../src/execute/lost-runs.ts';
import type {
  DurableExecutor,
  HibernatedRun,
  HibernationRules,
  RunEvents,
  RunFrom,
  RunHistory,
  RunOutcome,
  RunRequest,
  RunStep,
  ToolAnswer,
  ToolCall,
} from '../../src/execute/run.ts';
import { DEFAULT_RUN_LIMITS, type RunOptions } from './executor.ts';

/** A small stand-in for the gateway's driver of durable runs: it keeps everything in memory, and carries one run from attempt to attempt. */

export interface CarryOptions extends Omit<RunOptions, 'onCall'> {
  readonly onCall?: (call: ToolCall) => Promise<ToolAnswer>;
  readonly hibernation?: Partial<HibernationRules>;
  /** Whose run it is: a folder's name. */
  readonly results?: string;
  /** A call whose run has left its process without the answer. */
  readonly onLeave?: () => void;
}

export interface Carried {
  readonly request: RunRequest;
  readonly outcome: RunOutcome;
  readonly sleeps: readonly HibernatedRun[];
  readonly histories: readonly RunHistory[];
  /** Numbers of the calls that were made, in the order in which they came. */
  readonly made: readonly number[];
  /** How often a process was lost. */
  readonly lost: number;
}

export const RULES: HibernationRules = { afterMs: 0, maxImageBytes: 16 * 1024 * 1024 };

export function requestOf(body: string, { input, state, limits, now, seed, hibernation, results }: CarryOptions = {}): RunRequest {
  const script = `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
  return {
    executionId: 'exe_test',
    program: { key: programKey({ script, engineHash: inject('engine').hash }), script },
    input: JSON.stringify(input ?? null),
    state: JSON.stringify(state ?? {}),
    limits: { ...DEFAULT_RUN_LIMITS, ...limits },
    hibernation: { ...RULES, ...hibernation },
    now: now ?? Date.now(),
    seed: seed ?? '00'.repeat(32),
    ...(results !== undefined && { results }),
  };
}

/** Echoes what it is asked. */
export const echo = (call: ToolCall): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: call.arguments });

/** Hears of one attempt; answers with 1 where it is told nothing else. */
export function listen(events: Partial<RunEvents>): RunEvents & { readonly histories: readonly RunHistory[] } {
  const histories: RunHistory[] = [];
  const one = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: '1' });
  return { call: one, answer: one, history: (history) => void histories.push(history), ...events, histories };
}

/** Carries a run to its end: it sleeps as often as it is put away, and is begun again with its history when its process is lost. */
export async function carry(next: () => DurableExecutor, body: string, options: CarryOptions = {}): Promise<Carried> {
  const request = requestOf(body, options);
  const answers = new Map<number, Promise<ToolAnswer>>();
  const settled = new Set<number>();
  const [sleeps, histories, made]: [HibernatedRun[], RunHistory[], number[]] = [[], [], []];
  let lost = 0;
  let stepsOfImage = 0;
  const steps = (): RunStep[] => histories.flatMap((history) => history.steps);
  const events: RunEvents = {
    call: (call, left) => {
      left.addEventListener('abort', () => !settled.has(call.number) && options.onLeave?.());
      let answer = answers.get(call.number);
      if (!answer) {
        made.push(call.number);
        answer = (options.onCall ?? echo)(call).finally(() => settled.add(call.number));
        answers.set(call.number, answer);
      }
      return answer;
    },
    answer: (call) => answers.get(call) ?? Promise.reject(new Error('it was never made')),
    history: (history) => void histories.push(history),
  };
  const signal = options.signal ?? new AbortController().signal;
  let image: RunFrom | undefined;
  let from: RunFrom | undefined;
  for (;;) {
    try {
      const end = await next().attempt({ ...request, ...(from && { from }) }, events, signal);
      if (!isHibernated(end)) return { request, outcome: end, sleeps, histories, made, lost };
      sleeps.push(end);
      const at = performance.now();
      await untilDue(end, answers, signal);
      const { pending, lastCall } = end;
      image = { kind: 'image', image: end.image, now: end.now + Math.floor(performance.now() - at), pending, lastCall };
      stepsOfImage = steps().length;
      from = image;
    } catch (thrown) {
      if (!(thrown instanceof RunLost)) throw thrown;
      lost++;
      // With an image its later steps were lost with the process; from the start none must be.
      if (thrown.hasBegun) from = { kind: 'history', steps: steps() };
      else if (steps().length === stepsOfImage) from = image;
    }
  }
}

/** Until an answer is there, or the earliest timer is due. */
async function untilDue(
  { pending, nextTimer, now }: HibernatedRun,
  answers: Map<number, Promise<ToolAnswer>>,
  signal: AbortSignal,
): Promise<void> {
  const cancelled = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  const timer = Promise.withResolvers<void>();
  const handle = nextTimer === null ? undefined : setTimeout(timer.resolve, Math.max(0, nextTimer - now));
  await Promise.race([cancelled, timer.promise, ...pending.map((call) => answers.get(call)?.catch(() => undefined))]);
  clearTimeout(handle);
}
