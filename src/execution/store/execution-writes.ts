import type { RunHistory, ToolAnswer } from '../../execute/run.ts';
import { hasEnded, notOurs, storeError, unknownExecution } from '../execution-errors.ts';
import type { ExecutionParts, Statements } from './execution-parts.ts';
import { finishedRow, newRow, type ExecutionRow } from './execution-rows.ts';
import type {
  AnsweredCall,
  ExecutionEnd,
  ExecutionStart,
  ExecutionStatus,
  NewExecution,
  StoredCall,
  StoredWait,
} from '../execution-store.ts';
import type { KeptRecord } from '../kept-record.ts';
import type { LiveRows } from './live-rows.ts';
import type { OpenBytes } from './open-bytes.ts';
import { EXECUTION_BYTES, KIND, PART_BYTES } from './store-schema.ts';

/** So many events are kept of one execution. */
const MAX_EVENTS = 300;
/** So many times are kept at which one call was sent: it may be at every restart, for as long as its tool does not answer. */
const MAX_SENT_TIMES = 20;

export interface WriteTools {
  readonly run: Statements;
  readonly rows: LiveRows;
  readonly parts: ExecutionParts;
  readonly record: KeptRecord;
  readonly open: OpenBytes;
  readonly group: string;
  /** This store, as the owner of what it creates. */
  readonly owner: () => string;
  /** @throws SandboxError ERR_EXECUTION_FULL */
  readonly makeRoom: (bytes: number) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is written about executions, each within a transaction of the caller's. What has ended does not change any more. */
export class ExecutionWrites {
  readonly #tools: WriteTools;
  /** Of these something could not be written: what comes next is not all there is. */
  readonly #torn = new Set<string>();

  constructor(tools: WriteTools) {
    this.#tools = tools;
  }

  /** Something about the execution was not written. */
  tear(id: string): void {
    this.#torn.add(id);
  }

  /** Whether that is still to be written down, with whatever is written next. */
  isTorn(id: string): boolean {
    return this.#torn.has(id);
  }

  mended(id: string): void {
    this.#torn.delete(id);
  }

  create({ id, principal, createdAt, request }: NewExecution): void {
    const { run, rows, parts, group, owner, open } = this.#tools;
    const bytes = EXECUTION_BYTES + Buffer.byteLength(request);
    if (!open.mayAdd(principal, bytes)) open.refuse({ principal });
    const [own, created] = [owner(), Math.trunc(createdAt)];
    const { changes, lastInsertRowid } = run.add.run(id, group, own, principal, created, bytes);
    if (changes === 0) throw storeError(new Error(`there is an execution ${id} already`));
    open.change(principal, bytes);
    const row = newRow({ n: Number(lastInsertRowid), id, owner: own, principal, created, fixedBytes: bytes });
    // Not as a text inside of a JSON text: there its own literals could not be told apart, and a program is one of them.
    parts.add(row, KIND.request, 0, `${JSON.stringify({ principal, createdAt })}\n${request}`);
    rows.added(row);
  }

  start(id: string, start: ExecutionStart): void {
    const row = this.#live(id);
    if (row === undefined) throw hasEnded(id);
    const { parts, open } = this.#tools;
    const { script, ...rest } = start;
    const text = JSON.stringify(rest);
    // The second one of a run is no longer than the first, about.
    const isFirst = row.program === null;
    const bytes = isFirst ? Buffer.byteLength(text) + Buffer.byteLength(script) : 0;
    if (!open.mayGrow(row, bytes)) open.refuse(row);
    row.fixedBytes += bytes;
    if (!isFirst) for (const kind of [KIND.start, KIND.script]) parts.removeKind(row, kind);
    parts.add(row, KIND.start, 0, text);
    parts.addWhole(row, KIND.script, 0, script);
    row.program = start.programKey;
    this.#save(row);
  }

  history(id: string, history: RunHistory): void {
    const row = this.#live(id);
    // What cannot be begun again from the start needs no history.
    if (row === undefined || row.record !== 'whole') return;
    const text = JSON.stringify(history);
    if (this.#tools.record.makeRoom(row, Buffer.byteLength(text)) && isWhole(row)) {
      this.#tools.record.add(row, KIND.history, row.histories, text);
      row.histories++;
    }
    this.#save(row);
  }

  call(id: string, call: StoredCall): void {
    const row = this.#live(id);
    if (row === undefined) throw hasEnded(id);
    const { record, parts, run, open } = this.#tools;
    const { number, answer: _answer, answeredAt: _at, ...rest } = call;
    // Most calls are new ones.
    const before = number > row.toolCalls ? undefined : parts.get(row, KIND.call, number);
    const last = before === undefined ? undefined : (JSON.parse(before) as LastCall);
    if (last !== undefined && isBehind(last, call.stage)) return;
    const text = JSON.stringify({ ...rest, ...sentTimes(last, call.stage, this.#tools.now()) });
    // Also when the record is too long: that it may have been sent must be known.
    const hasRoom = record.makeRoom(row, Buffer.byteLength(text), number);
    if (!hasRoom && !open.mayGrow(row, Buffer.byteLength(text) - Buffer.byteLength(before ?? ''))) {
      // What was dropped for it is.
      this.#save(row);
      open.refuse(row);
    }
    if (before === undefined) row.calls++;
    record.add(row, KIND.call, number, text, before);
    row.toolCalls = Math.max(row.toolCalls, number);
    // A person's word is for making the call once.
    if (call.stage === 'sent') run.useApprovals.run(row.n, number);
    this.#save(row);
  }

  /** @returns whether the answer is there */
  answered(id: string, call: AnsweredCall, answer: ToolAnswer): boolean {
    const row = this.#live(id);
    if (row === undefined) return false;
    const { record, parts, now } = this.#tools;
    const { number, server, tool } = call;
    // The first one is what the program saw.
    if (row.answers > 0 && parts.has(row, KIND.answer, number)) return true;
    if (!this.#hasCall(row, number)) {
      const known = { server, tool, arguments: call.arguments, stage: 'answered', isRepeatable: false, at: now() };
      record.add(row, KIND.call, number, JSON.stringify(known));
      row.calls++;
      row.toolCalls = Math.max(row.toolCalls, number);
    }
    const text = JSON.stringify({ at: call.answeredAt ?? now(), answer });
    const hasRoom = record.makeRoom(row, Buffer.byteLength(text), number);
    if (hasRoom) {
      row.answers++;
      record.add(row, KIND.answer, number, text);
    } else {
      record.lose(row, number);
    }
    this.#save(row);
    return hasRoom;
  }

  hibernated(id: string, wait: StoredWait, image: Uint8Array): void {
    const row = this.#live(id);
    if (row === undefined) throw hasEnded(id);
    const { parts, record, makeRoom, open } = this.#tools;
    if (!open.mayGrow(row, image.length - row.imageBytes)) open.refuse(row);
    makeRoom(image.length - row.imageBytes);
    parts.putImage(row, wait, image);
    row.canWake = record.settle(row, wait) ? 1 : 0;
    row.imageBytes = image.length;
    row.hibernations++;
    row.fuel = wait.usage.fuel;
    row.toolCalls = Math.max(row.toolCalls, wait.usage.toolCalls);
    this.#event(row, { kind: 'hibernated', at: wait.at, imageBytes: image.length });
    this.#is(row, 'waiting');
    this.#save(row);
  }

  status(id: string, status: 'running' | 'waiting'): void {
    const row = this.#live(id);
    if (row === undefined || row.status === status) return;
    if (status === 'running') this.#event(row, { kind: 'resumed', at: this.#tools.now() });
    this.#is(row, status);
    this.#save(row);
  }

  restarted(id: string): number {
    const row = this.#live(id);
    if (row === undefined) throw hasEnded(id);
    row.restarts++;
    this.#event(row, { kind: 'restarted', at: this.#tools.now() });
    this.#is(row, 'running');
    this.#save(row);
    return row.restarts;
  }

  ended(id: string, end: ExecutionEnd): void {
    const row = this.#live(id);
    if (row === undefined) return;
    const { run, rows, parts, now, open } = this.#tools;
    const endedAt = Math.trunc(now());
    parts.add(row, KIND.end, 0, JSON.stringify({ end, endedAt }));
    if (row.hibernations > 0) parts.removeImage(row);
    run.closeApprovals.run(row.n);
    const { fuel, toolCalls } = end.usage;
    open.end(row);
    Object.assign(row, { fuel, toolCalls: Math.max(row.toolCalls, toolCalls), imageBytes: 0, canWake: 0 });
    run.finish.run(...finishedRow(row, end.status satisfies ExecutionStatus, end.code ?? null, endedAt));
    rows.ended(row);
  }

  /** Calls are numbered from 1: where there are as many as the number of the last one, each has been written. */
  #hasCall(row: ExecutionRow, number: number): boolean {
    if (number > row.toolCalls) return false;
    return row.calls === row.toolCalls || this.#tools.parts.has(row, KIND.call, number);
  }

  /** The row of an execution that goes on; undefined when it has ended. @throws SandboxError */
  #live(id: string): ExecutionRow | undefined {
    const row = this.#tools.rows.find(id);
    if (row === undefined) throw unknownExecution(id);
    if (row.ended !== null) return undefined;
    if (row.owner !== this.#tools.owner()) throw notOurs(id);
    if (this.#torn.has(id)) {
      row.record = 'torn';
      row.canWake = 0;
      this.#save(row);
    }
    return row;
  }

  #save(row: ExecutionRow): void {
    this.#tools.open.count(row);
    this.#tools.rows.changed(row);
  }

  #is(row: ExecutionRow, status: 'running' | 'waiting'): void {
    this.#tools.run.setStatus.run(status, row.n);
    row.status = status;
  }

  #event(row: ExecutionRow, event: object): void {
    if (row.events >= MAX_EVENTS) return;
    const text = JSON.stringify(event);
    this.#tools.parts.add(row, KIND.event, row.events, text);
    row.fixedBytes += Buffer.byteLength(text) + PART_BYTES;
    row.events++;
  }
}

/** It was, before room was made for this. */
function isWhole({ record }: ExecutionRow): boolean {
  return record === 'whole';
}

/** A question does not take back that something was sent. */
function isBehind({ stage: last }: LastCall, stage: StoredCall['stage']): boolean {
  return last === 'answered' || (last === 'sent' && stage === 'asked');
}

type LastCall = Pick<StoredCall, 'stage' | 'at' | 'sentAt'>;

/** What is written for the first time is sent when it is made. */
function sentTimes(last: LastCall | undefined, stage: StoredCall['stage'], now: number): Pick<StoredCall, 'sentAt'> {
  if (last === undefined || stage !== 'sent') return {};
  const before = last.stage === 'sent' ? (last.sentAt ?? [last.at]) : [];
  return { sentAt: [...before, Math.trunc(now)].slice(-MAX_SENT_TIMES) };
}
