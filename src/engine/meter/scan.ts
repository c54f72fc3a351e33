import { COST_BULK, COST_CALL, COST_HOST_CALL, COST_INSTRUCTION } from './abi.ts';
import { EDIT, EditList } from './edits.ts';
import { BULK, OP, readSubOpcode, skipImmediates } from './instructions.ts';
import type { Reader } from './reader.ts';
import { SegmentPlan } from './segments.ts';

/** What one walk over a function body finds. One object serves all functions of a module, one after the other. */
export class BodyScan {
  readonly plan = new SegmentPlan();
  readonly edits = new EditList();
  /** Calls of functions, direct or not; those of the host not counted. */
  calls = 0;
  loops = 0;
  /** memory.size, memory.grow and bulk operations. */
  hostCalls = 0;
  bulk = 0;
  private readonly movesGlobals: boolean;

  /** `movesGlobals`: note each global instruction as an edit. */
  constructor(movesGlobals: boolean) {
    this.movesGlobals = movesGlobals;
  }

  /** Walks the instructions up to the end of `reader`, which stands at the first one. */
  run(reader: Reader): void {
    this.edits.count = 0;
    this.calls = 0;
    this.loops = 0;
    this.hostCalls = 0;
    this.bulk = 0;
    this.plan.begin(reader.position);
    while (reader.position < reader.end) {
      if (this.plan.depth === 0) reader.refuse('instructions after the end of a function');
      this.step(reader);
    }
    if (this.plan.depth !== 0) reader.refuse('a function without its end');
  }

  // oxlint-disable-next-line max-lines-per-function -- one case for each opcode with a meaning to the meter
  private step(reader: Reader): void {
    const at = reader.position;
    const opcode = reader.byte();
    const sub = readSubOpcode(reader, opcode);
    skipImmediates(reader, opcode, sub);
    const next = reader.position;
    switch (opcode) {
      case OP.block:
        return this.plan.openBlock(next);
      case OP.loop:
        this.loops++;
        return this.plan.openLoop(next);
      case OP.if:
        this.plan.instruction(COST_INSTRUCTION);
        return this.plan.openIf(next);
      case OP.else:
        return this.plan.elseArm(next);
      case OP.end:
        return this.plan.close(next);
      case OP.brIf:
        this.plan.instruction(COST_INSTRUCTION);
        this.branches(reader, at, 1);
        return this.plan.conditional(next);
      case OP.br:
        this.plan.instruction(COST_INSTRUCTION);
        this.branches(reader, at, 1);
        return this.plan.transfer(next);
      case OP.brTable:
        this.plan.instruction(COST_INSTRUCTION);
        this.branches(reader, at, undefined);
        return this.plan.transfer(next);
      case OP.return:
      case OP.unreachable:
        this.plan.instruction(COST_INSTRUCTION);
        return this.plan.transfer(next);
      case OP.call:
      case OP.callIndirect:
        this.calls++;
        return this.plan.instruction(COST_CALL);
      case OP.globalGet:
      case OP.globalSet:
        if (this.movesGlobals) this.edits.add(at, EDIT.global);
        return this.plan.instruction(COST_INSTRUCTION);
      case OP.memorySize:
        return this.hostCall(at, EDIT.size);
      case OP.memoryGrow:
        return this.hostCall(at, EDIT.grow);
      case OP.prefixBulk:
        return this.prefixed(at, sub);
      default:
        return this.plan.instruction(COST_INSTRUCTION);
    }
  }

  /** Reads the labels of the branch at `at` again; `count` undefined: a br_table says how many, and has one more. */
  private branches(reader: Reader, at: number, count: number | undefined): void {
    const next = reader.position;
    reader.position = at + 1;
    for (let left = count ?? reader.u32() + 1; left > 0; left--) this.plan.branch(reader.u32());
    reader.position = next;
  }

  private hostCall(at: number, kind: number): void {
    this.hostCalls++;
    this.edits.add(at, kind);
    this.plan.instruction(COST_HOST_CALL);
  }

  private prefixed(at: number, sub: number): void {
    switch (sub) {
      case BULK.memoryInit:
      case BULK.memoryCopy:
      case BULK.memoryFill:
      case BULK.tableInit:
      case BULK.tableCopy:
      case BULK.tableGrow:
      case BULK.tableFill:
        return this.bulkOperation(at);
      default:
        return this.plan.instruction(COST_INSTRUCTION);
    }
  }

  private bulkOperation(at: number): void {
    this.bulk++;
    this.edits.add(at, EDIT.bulk);
    this.plan.instruction(COST_BULK);
  }
}
