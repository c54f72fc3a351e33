import * as fc from 'fast-check';
import { I32, buildModule, s, u, vector } from './wasm-builder.ts';
import type { Bytes } from './wasm-builder.ts';

/** A function body of a small language that has every form of control flow of WebAssembly. */
export type Node =
  | { kind: 'work'; count: number }
  | { kind: 'call' }
  | { kind: 'block' | 'loop'; body: Node[] }
  | { kind: 'if'; yes: Node[]; no: Node[] | null }
  | { kind: 'br' | 'brIf'; label: number }
  | { kind: 'brTable'; labels: number[] }
  | { kind: 'return' };

const label = fc.nat(5);
const { body } = fc.letrec<{ body: Node[]; node: Node }>((tie) => ({
  body: fc.array(tie('node'), { maxLength: 5, depthIdentifier: 'nest' }),
  node: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'nest' },
    fc.record({ kind: fc.constant('work' as const), count: fc.oneof(fc.nat(6), fc.nat(400)) }),
    fc.record({ kind: fc.constant('call' as const) }),
    fc.record({ kind: fc.constantFrom('br' as const, 'brIf' as const, 'brIf' as const), label }),
    fc.record({ kind: fc.constant('brTable' as const), labels: fc.array(label, { minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('return' as const) }),
    fc.record({ kind: fc.constantFrom('block' as const, 'loop' as const), body: tie('body') }),
    fc.record({ kind: fc.constantFrom('block' as const, 'loop' as const), body: tie('body') }),
    fc.record({ kind: fc.constant('if' as const), yes: tie('body'), no: fc.option(tie('body')) }),
  ),
}));
export const program = fc.array(body, { minLength: 1, maxLength: 3 }).map((parts) => parts.flat());

/** Turns that all loops of a run have together. */
const TURNS = 40;
const LEAF_INSTRUCTIONS = 3;
const MULTIPLIER = 1_103_515_245;
const INCREMENT = 12_345;
/** x = x * a + b; (x >>> 16) % n: 10 instructions. Local 0 is x. */
const random = (n: number): Bytes => {
  const next = [0x20, 0, 0x41, ...s(MULTIPLIER), 0x6c, 0x41, ...s(INCREMENT), 0x6a, 0x22, 0];
  return [...next, 0x41, ...s(16), 0x76, 0x41, ...s(n), 0x70];
};
const RANDOM_INSTRUCTIONS = 10;
/** if (turns === 0) return; turns -= 1: 3 and 4 instructions. Local 1 is turns. */
const turn = (depth: number): Bytes => [0x20, 1, 0x45, 0x0d, ...u(depth), 0x20, 1, 0x41, 1, 0x6b, 0x21, 1];

/** The module of a program: `run(x)`. */
export function assemble(nodes: readonly Node[]): Uint8Array {
  // The call makes it no tiny leaf, which would be free to the host.
  const code = [0x41, ...s(TURNS), 0x21, 1, 0x10, 1, ...emitAll(nodes, 0)];
  const leaf = { code: Array.from({ length: LEAF_INSTRUCTIONS }, () => 0x01) };
  return buildModule({ functions: [{ name: 'run', parameters: [I32], locals: [I32], code }, leaf] });
}

function emitAll(nodes: readonly Node[], depth: number): Bytes {
  return nodes.flatMap((node) => emit(node, depth));
}

function emit(node: Node, depth: number): Bytes {
  const target = (wanted: number): Bytes => u(wanted % (depth + 1));
  switch (node.kind) {
    case 'work':
      return Array.from({ length: node.count }, () => 0x01);
    case 'call':
      return [0x10, 1];
    case 'block':
      return [0x02, 0x40, ...emitAll(node.body, depth + 1), 0x0b];
    case 'loop':
      return [0x03, 0x40, ...turn(depth + 1), ...emitAll(node.body, depth + 1), 0x0b];
    case 'if': {
      const otherwise = node.no === null ? [] : [0x05, ...emitAll(node.no, depth + 1)];
      return [...random(2), 0x04, 0x40, ...emitAll(node.yes, depth + 1), ...otherwise, 0x0b];
    }
    case 'br':
      return [0x0c, ...target(node.label)];
    case 'brIf':
      return [...random(2), 0x0d, ...target(node.label)];
    case 'brTable': {
      const labels = node.labels.map(target);
      return [...random(labels.length), 0x0e, ...vector(labels.slice(0, -1)), ...(labels.at(-1) ?? [])];
    }
    case 'return':
      return [0x0f];
  }
}

/** What a run did: instructions executed, calls among them, and places passed where a segment may begin. */
export interface Trace {
  instructions: number;
  calls: number;
  boundaries: number;
}

/** Runs a program by its meaning, without WebAssembly. */
export function interpret(nodes: readonly Node[], seed: number): Trace {
  const trace: Trace = { instructions: 3 + LEAF_INSTRUCTIONS, calls: 1, boundaries: 1 };
  let x = seed;
  let turns = TURNS;
  const choose = (n: number): number => {
    x = (Math.imul(x, MULTIPLIER) + INCREMENT) | 0;
    trace.instructions += RANDOM_INSTRUCTIONS;
    return (x >>> 16) % n;
  };
  /** Gives how many blocks to leave: -1 none, 0 the innermost, ... */
  const all = (list: readonly Node[], depth: number): number => {
    for (const node of list) {
      const left = one(node, depth);
      if (left >= 0) return left;
    }
    return -1;
  };
  const jump = (wanted: number, depth: number): number => wanted % (depth + 1);
  const leave = (left: number): number => (left > 0 ? left - 1 : -1);
  const loop = (list: readonly Node[], depth: number): number => {
    for (;;) {
      trace.boundaries++;
      trace.instructions += 3;
      if (turns === 0) return depth;
      turns--;
      trace.instructions += 4;
      trace.boundaries++;
      const left = all(list, depth + 1);
      if (left !== 0) return leave(left);
    }
  };
  const one = (node: Node, depth: number): number => {
    if (node.kind !== 'work' && node.kind !== 'call') trace.boundaries += 3;
    switch (node.kind) {
      case 'work':
        trace.instructions += node.count;
        return -1;
      case 'call':
        trace.calls++;
        trace.instructions += 1 + LEAF_INSTRUCTIONS;
        return -1;
      case 'block':
        return leave(all(node.body, depth + 1));
      case 'loop':
        return loop(node.body, depth);
      case 'if': {
        const taken = choose(2) === 1 ? node.yes : (node.no ?? []);
        trace.instructions++;
        return leave(all(taken, depth + 1));
      }
      case 'br':
        trace.instructions++;
        return jump(node.label, depth);
      case 'brIf': {
        const taken = choose(2) === 1;
        trace.instructions++;
        return taken ? jump(node.label, depth) : -1;
      }
      case 'brTable': {
        const wanted = node.labels[choose(node.labels.length)] ?? 0;
        trace.instructions++;
        return jump(wanted, depth);
      }
      case 'return':
        trace.instructions++;
        return depth;
    }
  };
  all(nodes, 0);
  return trace;
}
