import { GLOBALS, LOCAL, TABLE_SIZE, type BlockType, type Func, type Instruction, type Plain, type Program } from './instruction.ts';
import {
  BULKS,
  DROP_DATA,
  DROP_ELEMENTS,
  EFFECT,
  load,
  MEMORY_GROW,
  MEMORY_SIZE,
  NULL,
  store,
  TABLE_FILL,
  TABLE_GROW,
  TABLE_SIZE_OF,
} from './memory-operators.ts';
import {
  BINARY,
  COMPARE_FLOAT,
  COMPARE_LONG,
  constant,
  CONVERT,
  DROP,
  FLOAT_BINARY,
  globalGet,
  globalSet,
  localGet,
  localSet,
  LONG_BINARY,
  NOP,
  SELECT,
  THROUGH_VECTOR,
  UNARY,
} from './operators.ts';
import { ownObjects } from './own-objects.ts';
import { CONSTANTS, FLOATS, earlyEnd, IS_ZERO, TURN, type Context } from './parts.ts';

type Type = 'i' | 'l' | 'f';

const MAX_FUNCTIONS = 4;
const MAX_NESTING = 5;
/** What a program may still emit, so that none is huge. */
const MAX_INSTRUCTIONS = 1_500;

/** Builds a valid program from a list of choices: each of them says what comes next, and after the last one the simplest always does. */
class Generator {
  readonly #choices: readonly number[];
  #at = 0;
  #emitted = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  program(): Program {
    const functions: Func[] = [];
    const count = 1 + this.#choose(MAX_FUNCTIONS);
    for (let index = 0; index < count; index++) {
      const isLeaf = index > 0 && this.#choose(3) === 0;
      functions.push({ body: ownObjects(isLeaf ? this.#leaf() : this.#body(count)) });
    }
    const data = Uint8Array.from({ length: this.#choose(20) }, (_, at) => at * 7 + 1);
    return { functions, data, elements: Array.from({ length: 1 + this.#choose(3) }, () => this.#choose(count)) };
  }

  /** A number from 0 to below `most`. */
  #choose(most: number): number {
    return (this.#choices[this.#at++] ?? 0) % most;
  }

  #pick<T>(from: readonly T[], other: T): T {
    return from[this.#choose(from.length)] ?? other;
  }

  get #isOver(): boolean {
    return this.#at >= this.#choices.length || this.#emitted > MAX_INSTRUCTIONS;
  }

  /** No loop and no call: a few instructions, or some more. */
  #leaf(): Instruction[] {
    const work = Array.from({ length: this.#choose(9) }, () => this.#pick(UNARY, NOP));
    return [localGet(LOCAL.parameter), ...work];
  }

  /** A turn is paid for at entry: recursion ends. */
  #body(functions: number): Instruction[] {
    const context: Context = { depth: 0, labels: ['value'], functions };
    const spent: Instruction = { kind: 'if', type: 'none', yes: [localGet(LOCAL.parameter), { kind: 'return' }], no: null };
    return [globalGet(0), IS_ZERO, spent, ...TURN, ...this.#statements(context), ...this.#value('i', context)];
  }

  #statements(context: Context): Instruction[] {
    const list: Instruction[] = [];
    for (let left = this.#choose(6); left > 0 && !this.#isOver; left--) list.push(...this.#statement(context));
    return list;
  }

  // oxlint-disable-next-line max-lines-per-function -- one case for each kind of statement
  #statement(context: Context): Instruction[] {
    this.#emitted += 4;
    const value = (type: Type = 'i'): Instruction[] => this.#value(type, context);
    const address = (): Instruction[] => [...value(), ...(this.#choose(8) === 0 ? [] : [constant('i', 65_000), BINARY[3] ?? NOP])];
    switch (this.#choose(20)) {
      case 0:
        return [...value(), localSet(this.#pick([LOCAL.parameter, LOCAL.first, LOCAL.second], 0))];
      case 1:
        return [...value('l'), localSet(LOCAL.long)];
      case 2:
        return [...value('f'), localSet(LOCAL.float)];
      case 3:
        return [...value(), globalSet(1 + this.#choose(GLOBALS - 1))];
      case 4:
        return [...address(), ...value(), store(this.#choose(3), this.#offset())];
      case 5:
        return [...value(), DROP];
      case 6:
        return [{ kind: 'block', type: 'none', body: this.#inner('none', context) }];
      case 7:
      case 8:
        return [this.#loop('none', context)];
      case 9: {
        const condition = value();
        const yes = this.#inner('none', context);
        return [...condition, { kind: 'if', type: 'none', yes, no: this.#choose(2) === 0 ? null : this.#inner('none', context) }];
      }
      case 10:
        return this.#branch(context, 'brIf');
      case 11:
        return this.#choose(3) === 0 ? this.#branch(context, 'br') : [];
      case 12:
        return this.#branchTable(context);
      case 13:
        return this.#choose(6) === 0 ? [...value(), { kind: 'return' }] : [...value(), EFFECT];
      case 14:
      case 18:
        return this.#choose(40) === 1 ? [{ kind: 'unreachable' }] : Array.from({ length: this.#choose(500) }, () => NOP);
      case 15: {
        const [small, length] = [constant('i', 1 + this.#choose(TABLE_SIZE)), constant('i', this.#choose(4))];
        const operation = this.#pick(BULKS, NOP);
        return this.#choose(3) === 0
          ? [...value(), ...value(), ...value(), operation]
          : [small, ...value(), small, BINARY[18] ?? NOP, length, operation];
      }
      case 16:
        return [this.#pick([DROP_DATA, DROP_ELEMENTS, NOP], NOP)];
      case 17:
        return [constant('i', this.#choose(TABLE_SIZE)), NULL, constant('i', this.#choose(3)), TABLE_FILL];
      default:
        return [...value(), EFFECT];
    }
  }

  /** Seldom one that lies outside of memory by itself. */
  #offset(): number {
    return this.#choose(this.#choose(8) === 0 ? 140_000 : 500);
  }

  #inner(type: BlockType, { depth, labels, functions }: Context): Instruction[] {
    const context: Context = { depth: depth + 1, labels: [type, ...labels], functions };
    if (depth >= MAX_NESTING) return type === 'value' ? [constant('i', 3)] : [];
    return [...this.#statements(context), ...(type === 'value' ? this.#value('i', context) : [])];
  }

  /** Each turn is paid for, and without any left a branch leaves the block around the loop. */
  #loop(type: 'none' | 'value', context: Context): Instruction {
    const inner: Context = { depth: context.depth + 1, labels: ['none', type, ...context.labels], functions: context.functions };
    const out = type === 'value' ? [constant('i', 5)] : [];
    if (context.depth >= MAX_NESTING) return { kind: 'block', type, body: out };
    const guard: Instruction[] = [...out, globalGet(0), IS_ZERO, { kind: 'brIf', label: 1 }, ...(type === 'value' ? [DROP] : []), ...TURN];
    const again = this.#choose(2) === 0 ? [] : this.#branch(inner, 'brIf', 0);
    const body = [...guard, ...this.#statements(inner), ...again, ...(type === 'value' ? this.#value('i', inner) : [])];
    return { kind: 'block', type, body: [{ kind: 'loop', type, body }] };
  }

  #branch(context: Context, kind: 'br' | 'brIf', wanted = this.#choose(context.labels.length)): Instruction[] {
    const type = context.labels[wanted] ?? 'none';
    const carried = type === 'none' ? [] : this.#value('i', context);
    const condition = kind === 'br' ? [] : this.#value('i', context);
    // What a conditional branch carries stays when it is not taken.
    return [...carried, ...condition, { kind, label: wanted }, ...(kind === 'brIf' && type !== 'none' ? [DROP] : [])];
  }

  #branchTable(context: Context): Instruction[] {
    const first = this.#choose(context.labels.length);
    const carries = (context.labels[first] ?? 'none') !== 'none';
    const alike = context.labels.flatMap((type, label) => ((type !== 'none') === carries ? [label] : []));
    const labels = Array.from({ length: 1 + this.#choose(4) }, () => this.#pick(alike, first));
    if (this.#choose(3) !== 0) return [];
    return [...(carries ? this.#value('i', context) : []), ...this.#value('i', context), { kind: 'brTable', labels }];
  }

  #value(type: Type, context: Context): Instruction[] {
    this.#emitted += 2;
    if (this.#isOver || context.depth > MAX_NESTING * 2) return [this.#plainValue(type)];
    const deeper: Context = { ...context, depth: context.depth + 1 };
    if (type === 'l') return this.#longValue(deeper);
    if (type === 'f') return this.#floatValue(deeper);
    return this.#intValue(deeper);
  }

  #plainValue(type: Type): Plain {
    const isConstant = this.#choose(2) === 0;
    if (type === 'l') return isConstant ? constant('l', this.#pick(CONSTANTS, 0)) : localGet(LOCAL.long);
    if (type === 'f') return isConstant ? constant('f', this.#pick(FLOATS, 0)) : localGet(LOCAL.float);
    if (isConstant) return constant('i', this.#pick(CONSTANTS, 0));
    return this.#pick([localGet(LOCAL.parameter), localGet(LOCAL.first), localGet(LOCAL.second), globalGet(1), globalGet(2)], NOP);
  }

  #longValue(context: Context): Instruction[] {
    const value = (type: Type): Instruction[] => this.#value(type, context);
    switch (this.#choose(5)) {
      case 0:
        return [...value('l'), ...value('l'), this.#pick(LONG_BINARY, NOP)];
      case 1:
        return [...value('i'), this.#pick(CONVERT.il, NOP)];
      case 2:
        return [...value('f'), this.#pick(CONVERT.fl, NOP)];
      case 3:
        return [...value('l'), this.#pick(CONVERT.ll, NOP)];
      default:
        return [this.#plainValue('l')];
    }
  }

  #floatValue(context: Context): Instruction[] {
    const value = (type: Type): Instruction[] => this.#value(type, context);
    switch (this.#choose(5)) {
      case 0:
        return [...value('f'), ...value('f'), this.#pick(FLOAT_BINARY, NOP)];
      case 1:
        return [...value('i'), this.#pick(CONVERT.if, NOP)];
      case 2:
        return [...value('l'), this.#pick(CONVERT.lf, NOP)];
      case 3:
        return [...value('f'), this.#pick(CONVERT.ff, NOP)];
      default:
        return [this.#plainValue('f')];
    }
  }

  // oxlint-disable-next-line max-lines-per-function -- one case for each kind of value
  #intValue(context: Context): Instruction[] {
    const value = (type: Type = 'i'): Instruction[] => this.#value(type, context);
    switch (this.#choose(20)) {
      case 0:
      case 1:
        return [...value(), ...value(), this.#pick(BINARY, NOP)];
      case 2:
        return [...value(), this.#pick(UNARY, NOP)];
      case 3:
        return [...value('l'), ...value('l'), this.#pick(COMPARE_LONG, NOP)];
      case 4:
        return [...value('f'), ...value('f'), this.#pick(COMPARE_FLOAT, NOP)];
      case 5:
        return this.#choose(2) === 0 ? [...value('l'), this.#pick(CONVERT.li, NOP)] : [...value('f'), this.#pick(CONVERT.fi, NOP)];
      case 6:
        return [...value(), constant('i', 65_535), BINARY[3] ?? NOP, load(this.#choose(5), this.#offset())];
      case 7:
        return [MEMORY_SIZE];
      case 8:
        return [constant('i', this.#choose(3)), MEMORY_GROW];
      case 9:
        return [{ kind: 'block', type: 'value', body: this.#inner('value', context) }];
      case 10: {
        const condition = value();
        return [...condition, { kind: 'if', type: 'value', yes: this.#inner('value', context), no: this.#inner('value', context) }];
      }
      case 11:
        return [this.#loop('value', context)];
      case 12:
        return [...value(), { kind: 'call', callee: this.#choose(context.functions) }];
      case 13:
        return [...value(), ...(this.#choose(5) === 0 ? value() : [constant('i', this.#choose(TABLE_SIZE))]), { kind: 'callIndirect' }];
      case 14:
        return [...value(), ...value(), ...value(), SELECT];
      case 15:
        return [...value(), localSet(LOCAL.first, true)];
      case 16:
        return [...value(), ...THROUGH_VECTOR];
      case 17:
        return this.#choose(2) === 0 ? [TABLE_SIZE_OF] : [NULL, constant('i', this.#choose(4)), TABLE_GROW];
      case 18:
        return [
          ...value(),
          this.#choose(2) === 0
            ? { kind: 'block', type: 'pass', body: earlyEnd(this.#pick(UNARY, NOP)) }
            : { kind: 'loop', type: 'pass', body: [this.#pick(UNARY, NOP)] },
        ];
      default:
        return [this.#plainValue('i')];
    }
  }
}

export function generateProgram(choices: readonly number[]): Program {
  return new Generator(choices).program();
}
