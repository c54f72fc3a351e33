import type { SQLInputValue } from 'node:sqlite';
import type { RunHistory, ToolAnswer } from '../../execute/run.ts';
import { damagedExecution } from '../execution-errors.ts';
import type { ExecutionParts, KeptWait, Statements } from './execution-parts.ts';
import { ALL_STATUSES, findRow, readSummary, type ExecutionRow } from './execution-rows.ts';
import type {
  ExecutionEnd,
  ExecutionEvent,
  ExecutionFilter,
  ExecutionGlance,
  ExecutionStart,
  ExecutionSummary,
  ExecutionWaits,
  NewExecution,
  StoredCall,
  StoredExecution,
  StoredWait,
} from '../execution-store.ts';
import { KIND, type PartKind } from './store-schema.ts';

/** More lines than anybody reads. */
const MAX_LIST = 100_000;

/** What is told about executions. */
export class ExecutionReads {
  readonly #run: Statements;
  readonly #parts: ExecutionParts;
  readonly #snapshot: <T>(work: () => T) => T;

  /** @param snapshot - does several reads as one: another process may write between them */
  constructor(run: Statements, parts: ExecutionParts, snapshot: <T>(work: () => T) => T) {
    this.#run = run;
    this.#parts = parts;
    this.#snapshot = snapshot;
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  read(id: string): StoredExecution | undefined {
    return this.#snapshot(() => this.#read(id));
  }

  #read(id: string): StoredExecution | undefined {
    const row = findRow(this.#run.find, id);
    if (row === undefined) return undefined;
    const texts = new Texts();
    // Without its image, or with a bad one, an execution may still be begun again from the start.
    for (const part of this.#parts.all(row, (kind) => kind === KIND.wait)) texts.add(part);
    return storedExecution(row, texts);
  }

  /** Takes as long as it takes to read the request and the answer, however long the record is. @throws SandboxError ERR_EXECUTION_DAMAGED */
  glance(id: string): ExecutionGlance | undefined {
    const row = findRow(this.#run.find, id);
    if (row === undefined) return undefined;
    const parsed = (kind: PartKind): unknown => JSON.parse(this.#parts.get(row, kind, 0) ?? 'null');
    const request = readRequest(this.#parts.get(row, KIND.request, 0));
    const ended = (parsed(KIND.end) ?? undefined) as KeptEnd | undefined;
    if (request === undefined || !isThatOf(row, request, ended)) throw damagedExecution(id, 'record');
    const { principal, createdAt } = request;
    const seed = (parsed(KIND.start) as Pick<ExecutionStart, 'seed'> | null)?.seed;
    return { id, principal, createdAt, status: row.status, end: ended?.end, endedAt: ended?.endedAt, asleepAt: this.#wait(row)?.at, seed };
  }

  /** What it waits for. Takes as long as it takes to read the calls without an answer. @throws SandboxError ERR_EXECUTION_DAMAGED */
  waits(id: string): ExecutionWaits | undefined {
    return this.#snapshot(() => {
      const row = findRow(this.#run.find, id);
      if (row === undefined) return undefined;
      const answered = new Set(this.#parts.numbers(row, KIND.answer));
      const open = this.#parts.numbers(row, KIND.call).filter((number) => !answered.has(number));
      const calls = open.map((number) => ({ ...(JSON.parse(this.#parts.get(row, KIND.call, number) ?? '{}') as KeptCall), number }));
      return { calls, wait: this.#wait(row) };
    });
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  answer(id: string, call: number): ToolAnswer | undefined {
    return this.#snapshot(() => {
      const row = findRow(this.#run.find, id);
      const text = row && this.#parts.get(row, KIND.answer, call);
      return text === undefined ? undefined : (JSON.parse(text) as KeptAnswer).answer;
    });
  }

  #wait(row: ExecutionRow): StoredWait | undefined {
    try {
      return this.#parts.wait(row)?.wait;
    } catch {
      // A bad image is found out when it is needed.
      return undefined;
    }
  }

  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  image(id: string): Uint8Array | undefined {
    return this.#snapshot(() => {
      const row = findRow(this.#run.find, id);
      return row === undefined ? undefined : this.#parts.image(row);
    });
  }

  list({ status = ALL_STATUSES, principal, since = 0, endedSince, limit = MAX_LIST }: ExecutionFilter): ExecutionSummary[] {
    const most = Math.min(limit, MAX_LIST);
    if (endedSince !== undefined) return this.#listEnded({ endedSince, since, principal: principal ?? null, most });
    const ofStatus = (one: string) =>
      principal === undefined ? this.#run.listAll.all(one, since, most) : this.#run.listOwn.all(principal, one, since, most);
    const found = [...new Set(status)].flatMap((one) => ofStatus(one).map(readSummary));
    found.sort((a, b) => b.createdAt - a.createdAt || b.n - a.n);
    return found.slice(0, most).map(withoutRow);
  }

  #listEnded(parameters: Record<string, SQLInputValue>): ExecutionSummary[] {
    return this.#run.listEnded.all(parameters).map((row) => withoutRow(readSummary(row)));
  }
}

function withoutRow({ n: _row, ...summary }: ExecutionSummary & { readonly n: number }): ExecutionSummary {
  return summary;
}

interface KeptEnd {
  readonly end: ExecutionEnd;
  readonly endedAt: number;
}

/** The parts of one execution, by kind. */
class Texts {
  readonly #kinds = new Map<number, Map<number, string | undefined>>();

  add({ kind, number, text }: { readonly kind: number; readonly number: number; readonly text: string | undefined }): void {
    const known = this.#kinds.get(kind) ?? new Map<number, string | undefined>();
    this.#kinds.set(kind, known.set(number, text));
  }

  text(kind: number): string | undefined {
    return this.#kinds.get(kind)?.get(0);
  }

  one(kind: number): unknown {
    const text = this.text(kind);
    return text === undefined ? undefined : JSON.parse(text);
  }

  all<T>(kind: number): (readonly [number: number, value: T])[] {
    return Array.from(this.#kinds.get(kind) ?? [], ([number, text]) => [number, JSON.parse(text ?? 'null') as T] as const);
  }

  count(kind: number): number {
    return this.#kinds.get(kind)?.size ?? 0;
  }
}

function storedExecution(row: ExecutionRow, texts: Texts): StoredExecution {
  const { id, status, hibernations, restarts } = row;
  const request = readRequest(texts.text(KIND.request));
  const ended = texts.one(KIND.end) as KeptEnd | undefined;
  if (request === undefined || !agrees(row, texts, request, ended)) throw damagedExecution(id, 'record');
  const wait = (texts.one(KIND.wait) as KeptWait | undefined)?.wait;
  return {
    id,
    ...request,
    status,
    start: readStart(texts),
    calls: readCalls(texts),
    history: joined(texts.all<RunHistory>(KIND.history)),
    isComplete: row.record === 'whole',
    canWake: row.canWake === 1 && wait !== undefined,
    events: texts.all<ExecutionEvent>(KIND.event).map(([, event]) => event),
    wait,
    hibernations,
    restarts,
    isCancelRequested: row.cancel,
    end: ended?.end,
    endedAt: ended?.endedAt,
  };
}

function readRequest(text: string | undefined): Omit<NewExecution, 'id'> | undefined {
  if (text === undefined) return undefined;
  const line = text.indexOf('\n');
  return { ...(JSON.parse(text.slice(0, line)) as Omit<NewExecution, 'id' | 'request'>), request: text.slice(line + 1) };
}

function readStart(texts: Texts): ExecutionStart | undefined {
  const [rest, script] = [texts.one(KIND.start) as Omit<ExecutionStart, 'script'> | undefined, texts.text(KIND.script)];
  return rest && script !== undefined ? { ...rest, script } : undefined;
}

/** The row is not sealed: all that matters of it must be what the parts say. */
function agrees(row: ExecutionRow, texts: Texts, request: Omit<NewExecution, 'id'>, ended: KeptEnd | undefined): boolean {
  const counts = [
    [row.calls, KIND.call],
    [row.answers, KIND.answer],
    [row.histories, KIND.history],
    [row.events, KIND.event],
    [row.program === null ? 0 : 1, KIND.start],
    [row.program === null ? 0 : 1, KIND.script],
  ] as const;
  return counts.every(([count, kind]) => count === texts.count(kind)) && isThatOf(row, request, ended);
}

/** Whose it is, and how it ended. */
function isThatOf(row: ExecutionRow, { principal, createdAt }: Omit<NewExecution, 'id'>, ended: KeptEnd | undefined): boolean {
  const end = ended?.end.status ?? 'running';
  const isSameEnd = end === row.status || (end === 'running' && row.status === 'waiting');
  const isSameTime = row.ended === (ended?.endedAt ?? null);
  return row.principal === principal && row.created === Math.trunc(createdAt) && isSameEnd && isSameTime;
}

interface KeptAnswer {
  readonly at: number;
  readonly answer: ToolAnswer;
}

type KeptCall = Omit<StoredCall, 'answer' | 'answeredAt'>;

function readCalls(texts: Texts): StoredCall[] {
  const answers = new Map(texts.all<KeptAnswer>(KIND.answer));
  return texts.all<KeptCall>(KIND.call).map(([number, call]) => {
    const answer = answers.get(number);
    return { ...call, number, ...(answer && { stage: 'answered', answeredAt: answer.at, answer: answer.answer }) };
  });
}

function joined(histories: readonly (readonly [number, RunHistory])[]): RunHistory {
  return {
    steps: histories.flatMap(([, { steps }]) => steps),
    files: histories.flatMap(([, { files }]) => files),
  };
}
