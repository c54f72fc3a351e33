import { clip } from '../chaos/task.ts';
import type { KillProgram } from './programs.ts';
import type { Heard, Submitted } from './submitted.ts';

/** What ends a run because the checker, the parser or the bundler was killed under it, before it had begun. */
const PREPARING_LOST: ReadonlySet<string> = new Set(['ERR_CHECK_FAILED', 'ERR_CHECK_TIMEOUT', 'ERR_BUNDLE_FAILED']);

/** All that there is at the end. */
export interface Remains {
  /** Every run of the store by id, with its final answer. */
  readonly ended: ReadonlyMap<string, Heard>;
  /** The keys of their programs, by id. */
  readonly keys: ReadonlyMap<string, string>;
  /** Keys of all effects, in the order in which the upstream wrote them down. */
  readonly effects: readonly string[];
  /** Keys of what has counted, by session. */
  readonly counted: ReadonlyMap<string, readonly string[]>;
}

/** Everything that is not as it has to be. */
export function faultsOf(submitted: Submitted, remains: Remains): string[] {
  return [...missing(submitted, remains), ...ends(submitted, remains), ...effects(submitted, remains), ...counts(submitted, remains)];
}

function* missing(submitted: Submitted, { ended }: Remains): Iterable<string> {
  for (const [id, key] of submitted.accepted) if (!ended.has(id)) yield `${id} (${key}) was accepted and is not there`;
  for (const [key, { executionId, status }] of submitted.heard) {
    // What was answered whole may be gone with its server when it has changed nothing: its client has all of it.
    const program = submitted.program(key);
    const hasActed = program !== undefined && !program.isDry && program.effects.length > 0;
    if (status === 'completed' && hasActed && !ended.has(executionId)) yield `${executionId} (${key}) was answered and is not there`;
  }
}

function* ends(submitted: Submitted, { ended, keys }: Remains): Iterable<string> {
  for (const [id, now] of ended) {
    const key = keys.get(id) ?? '';
    const program = submitted.program(key);
    const reason =
      program === undefined ? 'nobody has sent it' : (wrongEnd(submitted, program, now) ?? changedEnd(submitted.heard.get(key), now));
    if (reason !== undefined) yield `${id} (${key}): ${reason}`;
  }
}

function wrongEnd(submitted: Submitted, program: KillProgram, { executionId, status, result }: Heard): string | undefined {
  if (status === 'completed') {
    if (program.isEndless) return 'it completed, and sleeps for a day';
    if (submitted.cancelHeard.has(executionId)) return 'it completed, and was cancelled';
    if (submitted.closed.has(executionId)) return 'it completed, and its client was told to send it again';
    return program.judge(result);
  }
  const { code = '' } = (result ?? {}) as { code?: string };
  const isExplained =
    (code === 'ERR_EXECUTE_CANCELLED' && (submitted.dropped.has(program.key) || submitted.cancelAsked.has(executionId))) ||
    (code === 'ERR_SERVER_CLOSING' && (submitted.dropped.has(program.key) || submitted.closed.has(executionId))) ||
    (code === 'ERR_SESSION_CONFLICT' && program.counts) ||
    PREPARING_LOST.has(code);
  return status === 'failed' && isExplained ? undefined : `it is ${status}: ${clip(JSON.stringify(result), 600)}`;
}

function changedEnd(before: Heard | undefined, now: Heard): string | undefined {
  if (before === undefined || before.executionId !== now.executionId) return undefined;
  const [was, is] = [before, now].map(({ status, result }) => `${status} ${JSON.stringify(status === 'failed' ? codeOf(result) : result)}`);
  return was === is ? undefined : `its client got ${clip(was)}, and now it is ${clip(is)}`;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function* effects(submitted: Submitted, { ended, effects: made }: Remains): Iterable<string> {
  const counts = new Map<string, number>();
  for (const id of made) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, count] of counts) {
    const most = 1 + (submitted.repeats.get(id) ?? 0);
    if (count > most) yield `${id} was called ${count} times, and ${most} is the most`;
    if (submitted.program(id.split('.')[0] ?? '')?.isDry !== false) yield `${id} was called, and its run is a dry one, or nobody's`;
    if (submitted.refused.has(id)) yield `${id} was called, and the operator had refused it`;
  }
  const told = [...ended.values(), ...submitted.heard.values()].filter(({ status }) => status === 'completed');
  for (const { result } of told) {
    const { key = '', said = [] } = (result ?? {}) as { key?: string; said?: readonly string[] };
    const ids = submitted.program(key)?.effects ?? [];
    for (const [index, id] of ids.entries()) {
      if (said[index] === 'made' && !counts.has(id)) yield `${id} was not called, and its program heard that it was`;
    }
  }
}

/** Each run that completed has counted once, and no other one has. */
function* counts(submitted: Submitted, { ended, keys, counted }: Remains): Iterable<string> {
  const completed = new Set([...submitted.heard].filter(([, { status }]) => status === 'completed').map(([key]) => key));
  for (const [id, { status }] of ended) if (status === 'completed') completed.add(keys.get(id) ?? '');
  const seen = new Set<string>();
  for (const [handle, names] of counted) {
    for (const name of names) {
      if (seen.has(name)) yield `${name} has counted twice in ${handle}`;
      seen.add(name);
      if (!completed.has(name)) yield `${name} has counted in ${handle}, and has not completed`;
    }
  }
  for (const key of completed) {
    if (submitted.program(key)?.counts === true && !seen.has(key)) yield `${key} has completed, and has not counted`;
  }
}
