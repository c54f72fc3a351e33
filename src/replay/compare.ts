import { endsFromOutside, type RecordedOutcome } from './recorded-outcome.ts';

/** One thing that was not as recorded. */
export interface Difference {
  readonly what: string;
  readonly recorded: string;
  readonly replayed: string;
  /** A note only: it says nothing against the run. */
  readonly isNote?: boolean;
}

export interface CompareOptions {
  /** Fuel is a property of program and engine: on another engine it may differ. */
  readonly sameEngine: boolean;
}

/** Every difference between two outcomes of what should be the same run, in the order in which a reader wants to hear of them. */
export function compareOutcomes(recorded: RecordedOutcome, replayed: RecordedOutcome, { sameEngine }: CompareOptions): Difference[] {
  if (endsFromOutside(recorded)) return compareBeginnings(recorded, replayed);
  // Of a long outcome only this is kept.
  const isPart = recorded.logs === undefined;
  const fuel = differing('fuel', recorded.fuel.toLocaleString('en'), replayed.fuel.toLocaleString('en'), !sameEngine);
  const end = [...differing('status', recorded.status, replayed.status), ...differing('error code', recorded.code, replayed.code)];
  if (isPart) return [...end, ...fuel];
  return [
    ...end,
    ...differing('error message', recorded.message, replayed.message),
    ...differing('result', recorded.result, replayed.result),
    ...differing('state', recorded.state, replayed.state),
    ...compareLists('log line', recorded.logs ?? [], replayed.logs ?? []),
    ...differing('dropped bytes of the log', recorded.droppedLogBytes, replayed.droppedLogBytes),
    ...compareLists('call', recorded.calls ?? [], replayed.calls ?? []),
    ...fuel,
  ];
}

/** Of a run that was ended from outside: how far it had come by then nobody can say to the last unit of fuel. */
function compareBeginnings(recorded: RecordedOutcome, replayed: RecordedOutcome): Difference[] {
  const [one, other] = [recorded.logs ?? [], replayed.logs ?? []];
  const lines = Math.min(one.length, other.length);
  return compareLists('log line', one.slice(0, lines), other.slice(0, lines));
}

/** The first entry that differs: what comes after it would differ for the same reason. */
function compareLists(name: string, recorded: readonly object[], replayed: readonly object[]): Difference[] {
  const length = Math.max(recorded.length, replayed.length);
  for (let index = 0; index < length; index++) {
    const found = differing(`${name} ${index + 1}`, shown(recorded[index]), shown(replayed[index]));
    if (found.length > 0) return found;
  }
  return [];
}

/** A line of the log, or how a call ended, as a person reads it. */
function shown(entry: object | undefined): string | undefined {
  if (entry === undefined) return undefined;
  if ('level' in entry && 'message' in entry) return `${String(entry.level)}: ${String(entry.message)}`;
  const { server, tool, ok, code } = entry as { server: string; tool: string; ok: boolean; code?: string };
  return `${server}.${tool} ${ok ? 'answered' : `failed${code === undefined ? '' : ` with ${code}`}`}`;
}

function differing(what: string, one: unknown, other: unknown, isNote = false): Difference[] {
  const [recorded, replayed] = [textOf(one), textOf(other)];
  return recorded === replayed ? [] : [{ what, recorded, replayed, ...(isNote && { isNote }) }];
}

function textOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
