import type { Func, Instruction } from './instruction.ts';

/*
 * Where the decisions on the meter (docs/adr) say that fuel is charged, and how much: worked out over the tree of a function, apart from the
 * meter's own walk over its bytes.
 */
const SEGMENT_LIMIT = 512;
const COST_CALL = 8;
const COST_INSTRUCTION = 1;
const TRAMPOLINE_LIMIT = 64;

/** What is charged at once. */
interface Segment {
  /** The longest path through it. */
  longest: number;
  /** The longest path through it up to here, or up to where control left it. */
  reach: number;
  /** The entry of a function, or of a turn of a loop: the counter is looked at. */
  readonly isHeader: boolean;
}

/** The charges of one function: at its entry, at each turn of its loops, and before some of its instructions. */
export interface Charges {
  readonly entry: number;
  /** Whether it looks at the counter where it begins. */
  readonly tests: boolean;
  /** A tiny leaf: its callers pay. */
  readonly isFree: boolean;
  at(instruction: Instruction): number;
}

/** The end of a block, to which branches lead. */
interface Target {
  readonly segment: Segment;
  longest: number;
  readonly isLoop: boolean;
}

class Planner {
  readonly entry: Segment = { longest: 0, reach: 0, isHeader: true };
  readonly starts = new Map<Instruction, Segment>();
  total = 0;
  isLeaf = true;
  calls = 0;
  /** It has loops, bulk operations, or asks for the size of memory. */
  isHeavy = false;
  #current = this.entry;
  #isDead = false;
  #cost = 0;
  /** The first instruction of the piece that is being counted. */
  #first: Instruction | undefined;
  /** The instruction at which the current segment begins, while it is empty. */
  #fresh: Instruction | undefined;
  readonly #targets: Target[] = [];

  constructor(body: readonly Instruction[]) {
    this.#fresh = body[0];
    this.#within(false, () => this.#sequence(body));
  }

  #sequence(body: readonly Instruction[]): void {
    for (const instruction of body) this.#one(instruction);
  }

  #spend(instruction: Instruction, cost: number): void {
    if (this.#isDead) return;
    this.#first ??= instruction;
    this.#cost += cost;
    this.total += cost;
  }

  /** Ends a piece: it belongs to the segment if that stays within the limit, or begins one. */
  #settle(): void {
    const first = this.#first;
    if (first === undefined) return;
    if (this.#current.reach + this.#cost > SEGMENT_LIMIT && this.#fresh !== first) this.#begin(first, false);
    this.#current.reach += this.#cost;
    this.#current.longest = Math.max(this.#current.longest, this.#current.reach);
    this.#first = undefined;
    this.#fresh = undefined;
    this.#cost = 0;
  }

  #begin(at: Instruction, isHeader: boolean): void {
    this.#current = { longest: 0, reach: 0, isHeader };
    this.starts.set(at, this.#current);
  }

  /** Control may go from here to the end of a block. */
  #arrive(target: Target | undefined): void {
    if (target && !target.isLoop && !this.#isDead) target.longest = Math.max(target.longest, target.segment.reach);
  }

  /** A block with one way through it, or two that both begin where it does. */
  #within(isLoop: boolean, ...arms: readonly (() => void)[]): void {
    this.#settle();
    const [segment, wasDead] = [this.#current, this.#isDead];
    const begun = segment.reach;
    const target: Target = { segment, longest: begun, isLoop };
    this.#targets.unshift(target);
    for (const arm of arms) {
      [this.#current, this.#isDead, segment.reach] = [segment, wasDead, begun];
      arm();
      this.#settle();
      if (!this.#isDead) target.longest = Math.max(target.longest, segment.reach);
    }
    this.#targets.shift();
    this.#current = segment;
    segment.reach = target.longest;
    if (!isLoop) this.#isDead = wasDead;
    if (this.#targets.length > 0) this.#fresh = undefined;
  }

  // oxlint-disable-next-line max-lines-per-function -- one case for each kind of instruction
  #one(instruction: Instruction): void {
    switch (instruction.kind) {
      case 'plain':
        if (instruction.class === 'call') this.calls++;
        else if (instruction.class !== undefined) this.isHeavy = true;
        this.isLeaf &&= instruction.class === undefined;
        return this.#spend(instruction, instruction.cost);
      case 'call':
      case 'callIndirect':
        this.isLeaf = false;
        this.calls++;
        return this.#spend(instruction, COST_CALL);
      case 'block':
        return this.#within(false, () => this.#sequence(instruction.body));
      case 'loop':
        this.isLeaf = false;
        this.isHeavy = true;
        return this.#within(true, () => {
          if (!this.#isDead) this.#begin(instruction, true);
          this.#fresh = instruction.body[0];
          this.#sequence(instruction.body);
        });
      case 'if':
        this.#spend(instruction, COST_INSTRUCTION);
        return this.#within(
          false,
          () => this.#sequence(instruction.yes),
          () => this.#sequence(instruction.no ?? []),
        );
      case 'brIf':
        return this.#jump(instruction, [instruction.label]);
      case 'br':
        this.#jump(instruction, [instruction.label]);
        this.#isDead = true;
        return;
      case 'brTable':
        this.#jump(instruction, instruction.labels);
        this.#isDead = true;
        return;
      case 'return':
      case 'unreachable':
        this.#jump(instruction, []);
        this.#isDead = true;
        return;
    }
  }

  #jump(instruction: Instruction, labels: readonly number[]): void {
    this.#spend(instruction, COST_INSTRUCTION);
    this.#settle();
    for (const label of labels) this.#arrive(this.#targets[label]);
  }
}

export function chargesOf({ body }: Func): Charges {
  const { entry, starts, total, isLeaf } = new Planner(body);
  const isFree = isLeaf && total < COST_CALL;
  const amount = ({ longest, isHeader }: Segment): number => (isFree ? 0 : isHeader && !isLeaf ? Math.max(1, longest) : longest);
  return {
    entry: amount(entry),
    tests: !isLeaf,
    isFree,
    at: (instruction) => {
      const segment = starts.get(instruction);
      return segment === undefined ? 0 : amount(segment);
    },
  };
}

/** Whether a function does no more than to hand on: a module of such functions needs no meter, when the counter is another one's. */
export function isTrampoline({ body }: Func): boolean {
  const { isHeavy, calls, total } = new Planner(body);
  return !isHeavy && calls <= 1 && total <= TRAMPOLINE_LIMIT;
}
