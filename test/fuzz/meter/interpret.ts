import { chargesOf, type Charges } from './charges.ts';
import {
  GLOBALS,
  LOCALS,
  MAXIMUM_PAGES,
  MAXIMUM_TABLE,
  MINIMUM_PAGES,
  TABLE_SIZE,
  Trap,
  type BlockType,
  type Instruction,
  type Machine,
  type Program,
  type Value,
} from './instruction.ts';

const PAGE_BYTES = 65_536;
const RETURN = Number.POSITIVE_INFINITY;
const I64 = 0x7e;

/** What a run did, by the meaning of its instructions. */
export interface Reference {
  readonly result: number | 'trap' | 'out of fuel';
  /** Fuel that was charged. */
  readonly fuel: number;
  /** What the instructions that were executed cost, each by itself. */
  readonly executed: number;
  /** What of that is paid for by calls: tiny leaves have no meter of their own. */
  readonly unpaid: number;
  /** How often something was charged. */
  readonly charges: number;
  readonly effects: readonly number[];
  readonly memory: Uint8Array;
}

class OutOfFuel extends Error {}

/** Runs a program without WebAssembly. @param limit fuel after which the next look at the counter ends the run */
export function interpret(program: Program, input: number, turns: number, limit: number): Reference {
  const interpreter = new Interpreter(program, turns, limit);
  const result = interpreter.run(input);
  const { fuel, executed, unpaid, charges, effects, machine } = interpreter;
  return { result, fuel, executed, unpaid, charges, effects, memory: machine.memory };
}

class Interpreter {
  fuel = 0;
  executed = 0;
  unpaid = 0;
  charges = 0;
  readonly effects: number[] = [];
  readonly machine: Machine;
  readonly #limit: number;
  readonly #program: Program;
  readonly #charges: readonly Charges[];

  constructor(program: Program, turns: number, limit: number) {
    this.#program = program;
    this.#limit = limit;
    this.#charges = program.functions.map(chargesOf);
    const table = Array.from({ length: TABLE_SIZE }, (_, index) => (index < program.functions.length ? index : null));
    this.machine = {
      stack: [],
      locals: [],
      globals: [turns, ...Array.from({ length: GLOBALS - 1 }, () => 0)],
      memory: new Uint8Array(MINIMUM_PAGES * PAGE_BYTES),
      maximumPages: MAXIMUM_PAGES,
      table,
      maximumTable: MAXIMUM_TABLE,
      data: program.data,
      elements: program.elements,
      effect: (value) => void this.effects.push(value),
    };
  }

  run(input: number): Reference['result'] {
    try {
      this.machine.stack.push(input);
      this.#call(0);
      return Number(this.machine.stack.pop());
    } catch (thrown) {
      if (thrown instanceof Trap) return 'trap';
      if (thrown instanceof OutOfFuel) return 'out of fuel';
      throw thrown;
    }
  }

  #call(index: number): void {
    const callee = this.#program.functions[index];
    const charges = this.#charges[index];
    if (!callee || !charges) throw new Trap();
    const { machine } = this;
    const argument = machine.stack.pop() ?? 0;
    const height = machine.stack.length;
    const saved = machine.locals.splice(0);
    machine.locals.push(argument, ...LOCALS.map((type): Value => (type === I64 ? 0n : 0)));
    this.#charge(charges.entry, charges.tests);
    const before = this.executed;
    this.#sequence(callee.body, charges);
    if (charges.isFree) this.unpaid += this.executed - before;
    const result = machine.stack.pop() ?? 0;
    machine.stack.length = height;
    machine.stack.push(result);
    machine.locals.splice(0, machine.locals.length, ...saved);
  }

  #charge(amount: number, tests: boolean): void {
    this.fuel += amount;
    if (amount > 0) this.charges++;
    if (tests && this.fuel > this.#limit) throw new OutOfFuel();
  }

  /** Gives how many blocks to leave: -1 none, 0 the innermost, ... */
  #sequence(body: readonly Instruction[], charges: Charges): number {
    for (const instruction of body) {
      if (instruction.kind !== 'loop') this.#charge(charges.at(instruction), false);
      const left = this.#one(instruction, charges);
      if (left >= 0) return left;
    }
    return -1;
  }

  #pop(): number {
    return Number(this.machine.stack.pop() ?? 0);
  }

  // oxlint-disable-next-line max-lines-per-function -- one case for each kind of instruction
  #one(instruction: Instruction, charges: Charges): number {
    switch (instruction.kind) {
      case 'plain':
        this.executed += instruction.cost;
        if (instruction.class === 'bulk') this.#chargeLength();
        instruction.run(this.machine);
        return -1;
      case 'block':
        return this.#block(instruction.type, () => this.#sequence(instruction.body, charges));
      case 'loop':
        return this.#loop(instruction, charges);
      case 'if': {
        this.executed++;
        const arm = this.#pop() === 0 ? (instruction.no ?? []) : instruction.yes;
        return this.#block(instruction.type, () => this.#sequence(arm, charges));
      }
      case 'br':
        this.executed++;
        return instruction.label;
      case 'brIf':
        this.executed++;
        return this.#pop() === 0 ? -1 : instruction.label;
      case 'brTable': {
        this.executed++;
        const last = instruction.labels.length - 1;
        return instruction.labels[Math.min(this.#pop() >>> 0, last)] ?? 0;
      }
      case 'return':
        this.executed++;
        return RETURN;
      case 'unreachable':
        this.executed++;
        throw new Trap();
      case 'call':
        this.executed += 8;
        this.#call(instruction.callee);
        return -1;
      case 'callIndirect': {
        this.executed += 8;
        const callee = this.machine.table[this.#pop() >>> 0];
        if (callee === undefined || callee === null) throw new Trap();
        this.#call(callee);
        return -1;
      }
    }
  }

  #chargeLength(): void {
    const length = Number(this.machine.stack.at(-1) ?? 0) >>> 0;
    this.fuel += length;
    this.executed += length;
    if (this.fuel > this.#limit) throw new OutOfFuel();
  }

  #block(type: BlockType, body: () => number): number {
    const { stack } = this.machine;
    const height = stack.length - (type === 'pass' ? 1 : 0);
    const left = body();
    if (left !== 0) return left < 0 ? -1 : left - 1;
    const carried = type === 'none' ? [] : [stack.at(-1) ?? 0];
    stack.length = height;
    stack.push(...carried);
    return -1;
  }

  #loop(instruction: Extract<Instruction, { kind: 'block' | 'loop' }>, charges: Charges): number {
    const { stack } = this.machine;
    const height = stack.length - (instruction.type === 'pass' ? 1 : 0);
    for (;;) {
      this.#charge(charges.at(instruction), true);
      const left = this.#sequence(instruction.body, charges);
      if (left !== 0) return left < 0 ? -1 : left - 1;
      const carried = instruction.type === 'pass' ? [stack.at(-1) ?? 0] : [];
      stack.length = height;
      stack.push(...carried);
    }
  }
}
