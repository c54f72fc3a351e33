import type { Bytes } from '../../engine/meter/wasm-builder.ts';

/** What an instruction works on while it is interpreted. */
export interface Machine {
  readonly stack: Value[];
  readonly locals: Value[];
  readonly globals: number[];
  memory: Uint8Array;
  readonly maximumPages: number;
  readonly table: (number | null)[];
  readonly maximumTable: number;
  /** Passive segments; dropped ones are empty. */
  data: Uint8Array;
  elements: readonly number[];
  effect(value: number): void;
}

/** An i32 and an f64 as a number, an i64 as a bigint. */
export type Value = number | bigint;

export class Trap extends Error {}

/** An instruction without control flow. `cost` as the meter's decision says it; `length` gives what a bulk operation costs besides. */
export interface Plain {
  readonly kind: 'plain';
  readonly bytes: Bytes;
  readonly cost: number;
  readonly class?: 'call' | 'host' | 'bulk';
  run(machine: Machine): void;
}

/** How many values a block takes and leaves: none, one left, or one of each (by the index of a function's type). */
export type BlockType = 'none' | 'value' | 'pass';

export type Instruction =
  | Plain
  | { readonly kind: 'block' | 'loop'; readonly type: BlockType; readonly body: readonly Instruction[] }
  | { readonly kind: 'if'; readonly type: BlockType; readonly yes: readonly Instruction[]; readonly no: readonly Instruction[] | null }
  | { readonly kind: 'br' | 'brIf'; readonly label: number }
  | { readonly kind: 'brTable'; readonly labels: readonly number[] }
  | { readonly kind: 'return' | 'unreachable' }
  | { readonly kind: 'call'; readonly callee: number }
  /** The table index is on the stack. */
  | { readonly kind: 'callIndirect' };

export interface Func {
  readonly body: readonly Instruction[];
}

/** What every function has: a parameter and a result of i32, and these locals. */
export const LOCALS: Bytes = [0x7f, 0x7f, 0x7e, 0x7c];
export const LOCAL = { parameter: 0, first: 1, second: 2, long: 3, float: 4 } as const;
/** Global 0 counts turns of loops and entries of functions down; the others are the program's. */
export const GLOBALS = 3;

export interface Program {
  readonly functions: readonly Func[];
  readonly data: Uint8Array;
  readonly elements: readonly number[];
}

export const MINIMUM_PAGES = 1;
export const MAXIMUM_PAGES = 3;
export const TABLE_SIZE = 6;
export const MAXIMUM_TABLE = 9;
/** The one imported function: `effect(i32)`. */
export const IMPORTED = 1;
