import type { ErrorCode } from '../errors.ts';
import type { DurableExecutor, RunRequest } from '../execute/run.ts';
import { chooseEngine, type Carrying } from './carrying.ts';
import type { ExecutionStart, StoredExecution } from './execution-store.ts';
import { storedImage, type KeptImage } from './kept-image.ts';
import { RunClock } from './run-clock.ts';
import type { RunRecord } from './run-record.ts';

const REPLACED = 'The run was begun on an engine that was replaced.';
const NOT_WHOLE = 'What is stored of the run is not all that it takes to begin it again.';

/** How a run goes on that another process has begun. */
export type Recovery =
  | { readonly kind: 'image'; readonly executor: DurableExecutor; readonly image: KeptImage }
  | { readonly kind: 'start'; readonly executor: DurableExecutor; readonly program: RunRequest['program'] }
  | { readonly kind: 'none'; readonly code: ErrorCode; readonly message: string };

/**
 * From its image, if there is one that it would do the same from; else from the start; else, with a record that is not whole, from the image and with an eye
 * on every call.
 */
export async function recoveryOf(
  { engines, log }: Pick<Carrying, 'engines' | 'log'>,
  record: RunRecord,
  { program }: RunRequest,
  stored: StoredExecution,
  start: ExecutionStart,
): Promise<Recovery> {
  const engine = await chooseEngine(engines, start.engineHash, program.script);
  if (engine === undefined) return { kind: 'none', code: 'ERR_EXECUTION_ENGINE', message: REPLACED };
  const { executor, engineHash, newProgram } = engine;
  const image = newProgram ? undefined : storedImage(record, stored);
  if (image) return { kind: 'image', executor, image };
  if (!stored.isComplete) return { kind: 'none', code: 'ERR_EXECUTION_DAMAGED', message: NOT_WHOLE };
  if (newProgram) {
    log.warn({ executionId: record.id }, 'The engine of a run is gone: it begins again on the present one, with the answers that it had');
    record.start({ ...start, engineHash, programKey: newProgram.key });
  }
  return { kind: 'start', executor, program: newProgram ?? program };
}

/** How often it was begun again since anything new came of it: a call, an answer that it took, or that it was put away. */
export function restartsInARow({ calls, events, history }: Pick<StoredExecution, 'calls' | 'events' | 'history'>): number {
  let news = history.steps.at(-1)?.[0] ?? -Infinity;
  for (const { at, answeredAt = at } of calls) news = Math.max(news, at, answeredAt);
  const since = events.slice(events.findLastIndex(({ kind }) => kind === 'hibernated') + 1);
  return since.filter(({ kind, at }) => kind === 'restarted' && at > news).length;
}

/** The clock of a run that another process has left. It is not before anything that the run was given. */
export function recoveredClock({ clocks }: Pick<Carrying, 'clocks'>, { wait, history }: StoredExecution, start: ExecutionStart): RunClock {
  const clock = wait ? RunClock.left(clocks, wait.now, wait.at) : RunClock.left(clocks, start.now, start.now);
  clock.notBefore(history.steps.at(-1)?.[0] ?? -Infinity);
  return clock;
}
