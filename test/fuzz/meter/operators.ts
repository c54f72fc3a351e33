import { s, u, type Bytes } from '../../engine/meter/wasm-builder.ts';
import { Trap, type Machine, type Plain, type Value } from './instruction.ts';

type Type = 'i' | 'l' | 'f';

const i32 = (value: Value): number => Number(value) | 0;
const unsigned = (value: Value): number => Number(value) >>> 0;
const i64 = (value: Value): bigint => BigInt.asIntN(64, BigInt(value));
const u64 = (value: Value): bigint => BigInt.asUintN(64, BigInt(value));
const bool = (value: boolean): number => (value ? 1 : 0);

function trap(): never {
  throw new Trap();
}

/** An instruction of `takes` values that leaves one. */
function operator(bytes: Bytes, takes: number, run: (...values: Value[]) => Value): Plain {
  return { kind: 'plain', bytes, cost: 1, run: ({ stack }) => void stack.push(run(...stack.splice(stack.length - takes, takes))) };
}

/** From two i32 to one. */
export const BINARY: readonly Plain[] = [
  operator([0x6a], 2, (a, b) => i32(i32(a) + i32(b))),
  operator([0x6b], 2, (a, b) => i32(i32(a) - i32(b))),
  operator([0x6c], 2, (a, b) => Math.imul(i32(a), i32(b))),
  operator([0x71], 2, (a, b) => i32(a) & i32(b)),
  operator([0x72], 2, (a, b) => i32(a) | i32(b)),
  operator([0x73], 2, (a, b) => i32(a) ^ i32(b)),
  operator([0x74], 2, (a, b) => i32(a) << i32(b)),
  operator([0x75], 2, (a, b) => i32(a) >> i32(b)),
  operator([0x76], 2, (a, b) => i32(i32(a) >>> i32(b))),
  operator([0x77], 2, (a, b) => (i32(a) << (i32(b) & 31)) | (i32(a) >>> (-i32(b) & 31))),
  operator([0x78], 2, (a, b) => (i32(a) >>> (i32(b) & 31)) | (i32(a) << (-i32(b) & 31))),
  operator([0x46], 2, (a, b) => bool(i32(a) === i32(b))),
  operator([0x48], 2, (a, b) => bool(i32(a) < i32(b))),
  operator([0x49], 2, (a, b) => bool(unsigned(a) < unsigned(b))),
  operator([0x4f], 2, (a, b) => bool(unsigned(a) >= unsigned(b))),
  operator([0x6d], 2, (a, b) => (i32(b) === 0 || (i32(a) === -(2 ** 31) && i32(b) === -1) ? trap() : i32(i32(a) / i32(b)))),
  operator([0x6e], 2, (a, b) => (i32(b) === 0 ? trap() : i32(unsigned(a) / unsigned(b)))),
  operator([0x6f], 2, (a, b) => (i32(b) === 0 ? trap() : i32(i32(a) % i32(b)))),
  operator([0x70], 2, (a, b) => (i32(b) === 0 ? trap() : i32(unsigned(a) % unsigned(b)))),
];

/** From one i32 to one. */
export const UNARY: readonly Plain[] = [
  operator([0x45], 1, (a) => bool(i32(a) === 0)),
  operator([0x67], 1, (a) => Math.clz32(i32(a))),
  operator([0x68], 1, (a) => (i32(a) === 0 ? 32 : 31 - Math.clz32(i32(a) & -i32(a)))),
  operator([0x69], 1, (a) => unsigned(a).toString(2).replaceAll('0', '').length),
  operator([0xc0], 1, (a) => (i32(a) << 24) >> 24),
  operator([0xc1], 1, (a) => (i32(a) << 16) >> 16),
];

/** Between the types. */
export const CONVERT: Readonly<Record<`${Type}${Type}`, readonly Plain[]>> = {
  ii: UNARY,
  il: [operator([0xac], 1, (a) => i64(i32(a))), operator([0xad], 1, (a) => BigInt(unsigned(a)))],
  if: [operator([0xb7], 1, (a) => i32(a)), operator([0xb8], 1, (a) => unsigned(a))],
  li: [operator([0xa7], 1, (a) => Number(BigInt.asIntN(32, BigInt(a)))), operator([0x50], 1, (a) => bool(BigInt(a) === 0n))],
  ll: [operator([0xc2], 1, (a) => BigInt.asIntN(8, BigInt(a))), operator([0xc4], 1, (a) => BigInt.asIntN(32, BigInt(a)))],
  lf: [operator([0xb9], 1, (a) => Number(i64(a))), operator([0xba], 1, (a) => Number(u64(a)))],
  fi: [
    operator([0xfc, 2], 1, (a) => saturated(Number(a), -(2 ** 31), 2 ** 31 - 1)),
    operator([0xfc, 3], 1, (a) => saturated(Number(a), 0, 2 ** 32 - 1)),
    operator([0xaa], 1, (a) => (Number(a) > -(2 ** 31) - 1 && Number(a) < 2 ** 31 ? Math.trunc(Number(a)) | 0 : trap())),
  ],
  fl: [
    operator([0xfc, 6], 1, (a) => {
      const whole = Number.isNaN(Number(a)) ? 0n : BigInt(Math.trunc(Math.max(-(2 ** 63), Math.min(2 ** 63, Number(a)))));
      return whole > 2n ** 63n - 1n ? 2n ** 63n - 1n : whole;
    }),
  ],
  ff: [
    operator([0x99], 1, (a) => Math.abs(Number(a))),
    operator([0x9a], 1, (a) => -Number(a)),
    operator([0x9f], 1, (a) => Math.sqrt(Number(a))),
    operator([0x9d], 1, (a) => Math.trunc(Number(a))),
  ],
};

function saturated(value: number, least: number, most: number): number {
  return Number.isNaN(value) ? 0 : i32(Math.trunc(Math.max(least, Math.min(most, value))));
}

/** From two i64, or two f64, to one. */
export const LONG_BINARY: readonly Plain[] = [
  operator([0x7c], 2, (a, b) => i64(BigInt(a) + BigInt(b))),
  operator([0x7d], 2, (a, b) => i64(BigInt(a) - BigInt(b))),
  operator([0x7e], 2, (a, b) => i64(BigInt(a) * BigInt(b))),
  operator([0x83], 2, (a, b) => i64(BigInt(a) & BigInt(b))),
  operator([0x85], 2, (a, b) => i64(BigInt(a) ^ BigInt(b))),
  operator([0x86], 2, (a, b) => i64(BigInt(a) << (u64(b) & 63n))),
  operator([0x88], 2, (a, b) => i64(u64(a) >> (u64(b) & 63n))),
  operator([0x80], 2, (a, b) => (BigInt(b) === 0n ? trap() : i64(u64(a) / u64(b)))),
];
export const FLOAT_BINARY: readonly Plain[] = [
  operator([0xa0], 2, (a, b) => Number(a) + Number(b)),
  operator([0xa1], 2, (a, b) => Number(a) - Number(b)),
  operator([0xa2], 2, (a, b) => Number(a) * Number(b)),
  operator([0xa3], 2, (a, b) => Number(a) / Number(b)),
];
export const COMPARE_LONG: readonly Plain[] = [
  operator([0x51], 2, (a, b) => bool(a === b)),
  operator([0x53], 2, (a, b) => bool(BigInt(a) < BigInt(b))),
  operator([0x54], 2, (a, b) => bool(u64(a) < u64(b))),
];
export const COMPARE_FLOAT: readonly Plain[] = [
  operator([0x61], 2, (a, b) => bool(Number(a) === Number(b))),
  operator([0x63], 2, (a, b) => bool(Number(a) < Number(b))),
];

/** A vector and back, which changes nothing. */
export const THROUGH_VECTOR: readonly Plain[] = [
  { kind: 'plain', bytes: [0xfd, 0x11], cost: 1, run: () => undefined },
  { kind: 'plain', bytes: [0xfd, 0x1b, 2], cost: 1, run: () => undefined },
];

export const SELECT: Plain = operator([0x1b], 3, (a, b, which) => (i32(which) === 0 ? b : a));
export const DROP: Plain = { kind: 'plain', bytes: [0x1a], cost: 1, run: ({ stack }) => void stack.pop() };
export const NOP: Plain = { kind: 'plain', bytes: [0x01], cost: 1, run: () => undefined };

export function constant(type: Type, value: number): Plain {
  const bytes = { i: () => [0x41, ...s(value)], l: () => [0x42, ...s(value)], f: () => [0x44, ...float(value)] }[type]();
  return operator(bytes, 0, () => (type === 'l' ? BigInt(value) : value));
}

function float(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}

export function localGet(index: number): Plain {
  return { kind: 'plain', bytes: [0x20, ...u(index)], cost: 1, run: ({ stack, locals }) => void stack.push(locals[index] ?? 0) };
}

export function localSet(index: number, keeps = false): Plain {
  const run = ({ stack, locals }: Machine): void => {
    locals[index] = stack.at(-1) ?? 0;
    if (!keeps) stack.pop();
  };
  return { kind: 'plain', bytes: [keeps ? 0x22 : 0x21, ...u(index)], cost: 1, run };
}

export function globalGet(index: number): Plain {
  return { kind: 'plain', bytes: [0x23, ...u(index)], cost: 1, run: ({ stack, globals }) => void stack.push(globals[index] ?? 0) };
}

export function globalSet(index: number): Plain {
  return { kind: 'plain', bytes: [0x24, ...u(index)], cost: 1, run: ({ stack, globals }) => void (globals[index] = i32(stack.pop() ?? 0)) };
}
