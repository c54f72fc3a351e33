import { damagedExecution, hasEnded, unknownExecution } from '../execution-errors.ts';
import type { Statements } from './execution-parts.ts';
import { findRow, savedRow, type Row } from './execution-rows.ts';
import type { OpenBytes } from './open-bytes.ts';
import type { ApprovalDecision, StoredApproval } from '../execution-store.ts';
import { seal, unseal } from './sealed-text.ts';
import { PART_BYTES } from './store-schema.ts';

/** Questions to people. Each is open until it is decided or its execution ends; one about a call that was then sent is asked anew. */
export class ApprovalRows {
  readonly #run: Statements;
  /** This store, so that others can tell who decided. */
  readonly #self: string;
  readonly #open: OpenBytes;

  constructor(run: Statements, self: string, open: OpenBytes) {
    this.#run = run;
    this.#self = self;
    this.#open = open;
  }

  ask({ decision: _none, ...approval }: StoredApproval): StoredApproval {
    const { id, executionId, call, kind, askedAt } = approval;
    const execution = findRow(this.#run.find, executionId);
    if (execution === undefined) throw unknownExecution(executionId);
    const { n, ended } = execution;
    if (ended !== null) throw hasEnded(executionId);
    const known = this.#run.approvalOfCall.get(n, call, kind);
    if (known !== undefined) return readApproval(known);
    const content = seal(id, JSON.stringify(approval), []);
    if (!this.#open.mayGrow(execution, content.length + PART_BYTES)) this.#open.refuse(execution);
    execution.fixedBytes += content.length + PART_BYTES;
    this.#open.count(execution);
    this.#run.save.run(...savedRow(execution));
    this.#run.addApproval.run(id, n, call, kind, Math.trunc(askedAt), content);
    return approval;
  }

  decide(id: string, decision: ApprovalDecision): StoredApproval | undefined {
    const { granted, by, at } = decision;
    const n = this.#run.approval.get(id)?.['n'];
    if (n === undefined) return undefined;
    this.#run.decide.run(seal(`${id} decision`, JSON.stringify({ granted, by, at }), []), this.#self, n);
    const approval = this.one(id);
    // The execution has ended meanwhile: there is nothing to decide any more.
    return approval?.decision === undefined ? undefined : approval;
  }

  one(id: string): StoredApproval | undefined {
    const found = this.#run.approval.get(id);
    return found === undefined ? undefined : readApproval(found);
  }

  open(executionId?: string): StoredApproval[] {
    if (executionId === undefined) return this.#run.openApprovals.all().map(readApproval);
    // There may be many of others, and every call that asks looks for its own.
    const n = findRow(this.#run.find, executionId)?.n;
    const rows = n === undefined ? [] : this.#run.approvalsOf.all(n);
    return rows.filter((row) => row['isOpen'] === 1).map(readApproval);
  }

  of(executionId: string): StoredApproval[] {
    const n = findRow(this.#run.find, executionId)?.n;
    return n === undefined ? [] : this.#run.approvalsOf.all(n).map(readApproval);
  }

  /** The number of the last decision that there is. */
  last(): number {
    return Number(this.#run.lastDecided.get()?.['decided'] ?? 0);
  }

  /** What others have decided since, about executions of this store. A damaged one is left out: all others would never be heard of. */
  since(number: number, owner: string): StoredApproval[] {
    return this.#run.decidedSince
      .all(number, owner)
      .filter((row) => row['decider'] !== this.#self)
      .flatMap(readWhole);
  }
}

function readWhole(row: Row): StoredApproval[] {
  try {
    return [readApproval(row)];
  } catch {
    return [];
  }
}

/** @throws SandboxError ERR_EXECUTION_DAMAGED */
function readApproval(row: Row): StoredApproval {
  const [id, executionId] = [String(row['id']), String(row['executionId'])];
  const opened = (content: unknown, place: string): string => {
    const text = content instanceof Uint8Array ? unseal(place, content, () => undefined) : undefined;
    if (text === undefined) throw damagedExecution(executionId, 'question to a person');
    return text;
  };
  const approval = JSON.parse(opened(row['content'], id)) as StoredApproval;
  if (row['decision'] === null) return approval;
  return { ...approval, decision: JSON.parse(opened(row['decision'], `${id} decision`)) as ApprovalDecision };
}
