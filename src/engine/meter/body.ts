import { COST_CALL, SLOT_GROW, SLOT_REFUEL, SLOT_SIZE } from './abi.ts';
import { EDIT } from './edits.ts';
import type { BranchHints } from './hints.ts';
import { OP, skipValueType } from './instructions.ts';
import type { Reader } from './reader.ts';
import type { BodyScan } from './scan.ts';
import { Writer } from './writer.ts';

/** Indices in the rewritten module. */
export interface BodyTarget {
  fuelGlobal: number;
  hostTable: number;
  refuelType: number;
  sizeType: number;
  growType: number;
}

const I32 = 0x7f;
const I64 = 0x7e;
const NO_RESULT = 0x40;

/** Rewrites one function body after the other with the charges and edits that a scan found. */
export class BodyWriter {
  private readonly out = new Writer(1 << 16);
  private readonly target: BodyTarget;
  private readonly hints: BranchHints;
  /** Index of the local that holds the counter; the one after it holds the length of a bulk operation. */
  private fuelLocal = 0;

  constructor(target: BodyTarget, hints: BranchHints) {
    this.target = target;
    this.hints = hints;
  }

  /** The new body of the function that `reader` spans, valid until the next call. `parameters`: how many it has. */
  rewrite(reader: Reader, parameters: number, scan: BodyScan): Uint8Array {
    const start = reader.position;
    const groups = reader.u32();
    const declarations = reader.position;
    let locals = parameters;
    for (let group = 0; group < groups; group++) {
      locals += reader.u32();
      skipValueType(reader);
    }
    const code = reader.position;
    scan.run(reader);
    // A tiny leaf is paid for by its callers, in COST_CALL.
    const leaf = scan.calls + scan.loops + scan.hostCalls + scan.bulk === 0;
    const charged = !(leaf && scan.plan.total < COST_CALL);
    if (!charged && scan.edits.count === 0) return reader.bytes.subarray(start, reader.end);
    this.out.clear();
    this.fuelLocal = locals;
    const added = scan.bulk > 0 ? 2 : leaf ? 0 : 1;
    this.out.u32(groups + added);
    this.out.copy(reader.bytes, declarations, code);
    if (added > 0) this.local(I64);
    if (added > 1) this.local(I32);
    this.instructions(reader, code, scan, charged, !leaf);
    return this.out.view();
  }

  private local(type: number): void {
    this.out.u32(1);
    this.out.byte(type);
  }

  /** Copies the instructions from `code` on, with charges and edits put in, both in order of position. */
  private instructions(reader: Reader, code: number, scan: BodyScan, charged: boolean, tests: boolean): void {
    const { plan, edits } = scan;
    const segments = charged ? plan.count : 0;
    let copied = code;
    for (let segment = 0, edit = 0; segment < segments || edit < edits.count;) {
      const segmentAt = segment < segments ? (plan.positions[segment] ?? 0) : Infinity;
      const editAt = edit < edits.count ? (edits.positions[edit] ?? 0) : Infinity;
      this.out.copy(reader.bytes, copied, Math.min(segmentAt, editAt));
      if (segmentAt <= editAt) {
        copied = segmentAt;
        this.charge(plan.costs[segment] ?? 0, tests && plan.headers[segment] === 1);
        segment++;
      } else {
        copied = this.edit(reader, editAt, edits.kinds[edit++] ?? 0);
      }
    }
    this.out.copy(reader.bytes, copied, reader.end);
  }

  /** Writes what stands in place of the instruction at `at`, or goes before it; gives where copying goes on. */
  private edit(reader: Reader, at: number, kind: number): number {
    reader.position = at;
    switch (kind) {
      case EDIT.global:
        this.out.byte(reader.byte());
        this.out.u32(movedGlobal(reader.u32(), this.target.fuelGlobal));
        return reader.position;
      case EDIT.size:
        this.callHost(SLOT_SIZE, this.target.sizeType);
        return at + 2;
      case EDIT.grow:
        this.callHost(SLOT_GROW, this.target.growType);
        return at + 2;
      default:
        this.chargeLength();
        return at;
    }
  }

  private charge(cost: number, test: boolean): void {
    // A header is never free: what it guards may repeat.
    const amount = test ? Math.max(1, cost) : cost;
    if (amount === 0) return;
    const { out } = this;
    out.byte(OP.globalGet);
    out.u32(this.target.fuelGlobal);
    out.byte(OP.i64Const);
    out.s32(amount);
    this.subtract(test);
  }

  /** Charges the length on top of the stack, and leaves it there. */
  private chargeLength(): void {
    const { out } = this;
    out.byte(OP.localTee);
    out.u32(this.fuelLocal + 1);
    out.byte(OP.globalGet);
    out.u32(this.target.fuelGlobal);
    out.byte(OP.localGet);
    out.u32(this.fuelLocal + 1);
    out.byte(OP.i64ExtendI32U);
    this.subtract(true);
  }

  /** With the counter and an amount on the stack: sets the counter, and calls the host when it is below 0. */
  private subtract(test: boolean): void {
    const { out } = this;
    out.byte(OP.i64Sub);
    if (test) {
      out.byte(OP.localTee);
      out.u32(this.fuelLocal);
    }
    out.byte(OP.globalSet);
    out.u32(this.target.fuelGlobal);
    if (!test) return;
    out.byte(OP.localGet);
    out.u32(this.fuelLocal);
    out.byte(OP.i64Const);
    out.s32(0);
    out.byte(OP.i64LtS);
    this.hints.unlikely(out.length);
    out.byte(OP.if);
    out.byte(NO_RESULT);
    this.callHost(SLOT_REFUEL, this.target.refuelType);
    out.byte(OP.end);
  }

  private callHost(slot: number, type: number): void {
    const { out } = this;
    out.byte(OP.i32Const);
    out.s32(slot);
    out.byte(OP.callIndirect);
    out.u32(type);
    out.u32(this.target.hostTable);
  }
}

/** A global index after a global was put in at `added`. */
export function movedGlobal(index: number, added: number): number {
  return index < added ? index : index + 1;
}
