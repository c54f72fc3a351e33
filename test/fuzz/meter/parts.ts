import { LOCAL, type BlockType, type Instruction, type Plain } from './instruction.ts';
import { BINARY, constant, globalGet, globalSet, localGet, localSet, NOP, UNARY } from './operators.ts';

export const CONSTANTS = [0, 1, -1, 2, 7, 31, 255, 256, 65_535, 65_536, 131_071, -65_536, 2 ** 31 - 1, -(2 ** 31)];
export const FLOATS = [0, 1.5, -0.5, 1e10, -1e20, 2 ** 31, 0.1, -0];

export interface Context {
  readonly depth: number;
  /** What a branch to each label carries, from the innermost on. The last one is the function's. */
  readonly labels: readonly BlockType[];
  readonly functions: number;
}

export const IS_ZERO: Plain = UNARY[0] ?? NOP;
/** turns -= 1 */
export const TURN: readonly Instruction[] = [globalGet(0), constant('i', 1), BINARY[1] ?? NOP, globalSet(0)];

/** Leaves a block that takes a value and gives one, sometimes before its end. */
export function earlyEnd(unary: Plain): Instruction[] {
  return [unary, localSet(LOCAL.first, true), localGet(LOCAL.first), { kind: 'brIf', label: 0 }, unary];
}
