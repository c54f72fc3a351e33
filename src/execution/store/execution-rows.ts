import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { damagedExecution } from '../execution-errors.ts';
import type { ExecutionStatus, ExecutionSummary } from '../execution-store.ts';
import { CHANGING } from './store-schema.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** `whole`: all that a run depended on is in the record. `dropped`: it got too long. `torn`: something of it could not be written. */
const RECORDS = ['whole', 'dropped', 'torn'] as const;
export type RecordState = (typeof RECORDS)[number];

const STATUSES = ['running', 'waiting', 'completed', 'failed', 'cancelled'] as const satisfies ExecutionStatus[];

/** What is stored of an execution beside its parts. Counts are what is there, but for `toolCalls`: that is how many there were. */
export interface ExecutionRow {
  readonly n: number;
  readonly id: string;
  readonly owner: string | null;
  readonly principal: string;
  readonly created: number;
  readonly ended: number | null;
  readonly cancel: boolean;
  status: ExecutionStatus;
  program: string | null;
  record: RecordState;
  /** Of calls, answers and histories. */
  recordBytes: number;
  calls: number;
  answers: number;
  histories: number;
  events: number;
  toolCalls: number;
  fuel: number;
  hibernations: number;
  restarts: number;
  imageBytes: number;
  canWake: 0 | 1;
  /** Of all that is neither in the record nor the image: request, program, questions to people. */
  fixedBytes: number;
  /** What of it is in the sum of what its principal's executions hold. */
  counted: number;
}

/** What an execution that has not ended holds, in bytes about. */
export function heldBytes({ fixedBytes, recordBytes, imageBytes }: ExecutionRow): number {
  return fixedBytes + recordBytes + imageBytes;
}

/** The row of an id; undefined when there is none. @param find - of `STATEMENTS` @throws SandboxError ERR_EXECUTION_DAMAGED */
export function findRow(find: StatementSync, id: string): ExecutionRow | undefined {
  // It gives arrays, whatever its type says.
  const row = find.get(id) as unknown as SQLOutputValue[] | undefined;
  return row === undefined ? undefined : readRow(id, row);
}

function readRow(known: string, row: readonly SQLOutputValue[]): ExecutionRow {
  const [n, id, owner, principal, created, ended, cancel, status, program, record, ...amounts] = row;
  const [recordBytes, calls, answers, histories, events, toolCalls, fuel, hibernations, restarts, imageBytes, canWake, fixedBytes = 0] =
    amounts.map(Number);
  if (!isOneOf(STATUSES, status) || !isOneOf(RECORDS, record) || id !== known) throw damagedExecution(known, 'status');
  return {
    n: Number(n),
    id,
    owner: text(owner),
    principal: String(principal),
    created: Number(created),
    ended: ended === null ? null : Number(ended),
    cancel: cancel === 1,
    status,
    program: text(program),
    record,
    recordBytes: recordBytes ?? 0,
    calls: calls ?? 0,
    answers: answers ?? 0,
    histories: histories ?? 0,
    events: events ?? 0,
    toolCalls: toolCalls ?? 0,
    fuel: fuel ?? 0,
    hibernations: hibernations ?? 0,
    restarts: restarts ?? 0,
    imageBytes: imageBytes ?? 0,
    canWake: canWake === 1 ? 1 : 0,
    fixedBytes,
    counted: fixedBytes + (recordBytes ?? 0) + (imageBytes ?? 0),
  };
}

/** The row of an execution that was just added. */
export function newRow(known: Pick<ExecutionRow, 'n' | 'id' | 'owner' | 'principal' | 'created' | 'fixedBytes'>): ExecutionRow {
  const amounts = { recordBytes: 0, imageBytes: 0, fuel: 0, counted: known.fixedBytes };
  const counts = { calls: 0, answers: 0, histories: 0, events: 0, toolCalls: 0, hibernations: 0, restarts: 0 };
  const state = { ended: null, cancel: false, status: 'running', program: null, record: 'whole', canWake: 0 } as const;
  return { ...known, ...amounts, ...counts, ...state };
}

/** Parameters of the statement that saves a row. */
export function savedRow(row: ExecutionRow): SQLInputValue[] {
  return [...CHANGING.map((column) => row[column]), row.n];
}

/** Parameters of the statement that saves a row for the last time. @param endedAt - milliseconds since 1970 */
export function finishedRow(row: ExecutionRow, status: ExecutionStatus, code: string | null, endedAt: number): SQLInputValue[] {
  return [status, code, endedAt, ...savedRow(row)];
}

export function readSummary(row: Row): ExecutionSummary & { readonly n: number } {
  const { n, id, principal, status, code, created, ended, program, toolCalls, fuel, hibernations, imageBytes } = row;
  return {
    n: Number(n),
    id: String(id),
    principal: String(principal),
    status: isOneOf(STATUSES, status) ? status : 'failed',
    code: text(code) ?? undefined,
    createdAt: Number(created),
    endedAt: ended === null ? undefined : Number(ended),
    programKey: text(program) ?? undefined,
    toolCalls: Number(toolCalls),
    fuel: Number(fuel),
    hibernations: Number(hibernations),
    imageBytes: Number(imageBytes),
  };
}

export const ALL_STATUSES: readonly ExecutionStatus[] = STATUSES;

function isOneOf<T extends string>(names: readonly T[], value: unknown): value is T {
  return names.some((name) => name === value);
}

function text(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
