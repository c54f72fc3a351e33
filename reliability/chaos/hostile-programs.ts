import { UPSTREAM_CODES } from './codes.ts';
import { clip, type Maker, type Task } from './task.ts';

/** Programs that do harm, each with the codes with which it has to end. */

interface Hostile {
  readonly kind: string;
  readonly code: string;
  readonly codes: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
}

const never = (): string => 'it completed';

const PROGRAMS: readonly Hostile[] = [
  { kind: 'endless loop', code: 'for (;;);', codes: ['ERR_EXECUTE_FUEL', 'ERR_EXECUTE_ACTIVE_TIME'], limits: { fuel: 2_000_000_000 } },
  {
    kind: 'endless microtasks',
    code: 'const again = (): Promise<void> => Promise.resolve().then(again); await again();',
    codes: ['ERR_EXECUTE_FUEL', 'ERR_EXECUTE_ACTIVE_TIME', 'ERR_EXECUTE_MEMORY'],
    limits: { fuel: 1_000_000_000 },
  },
  {
    kind: 'memory',
    code: 'const all: Uint8Array[] = []; for (;;) all.push(new Uint8Array(1_000_000).fill(1));',
    codes: ['ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_THROWN'],
    limits: { memoryMb: 64 },
  },
  {
    kind: 'memory, error swallowed',
    code: 'const all: string[] = []; for (;;) try { all.push("x".repeat(1_000_000) + all.length); } catch {}',
    codes: ['ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_FUEL', 'ERR_EXECUTE_ACTIVE_TIME'],
    limits: { memoryMb: 64, fuel: 2_000_000_000 },
  },
  {
    kind: 'recursion',
    code: 'const down = (n: number): number => 1 + down(n + 1); return down(0);',
    codes: ['ERR_EXECUTE_STACK'],
  },
  { kind: 'never settles', code: 'await new Promise(() => {});', codes: ['ERR_EXECUTE_NEVER_SETTLES'] },
  {
    kind: 'waits too long',
    code: 'await new Promise((go) => setTimeout(go, 60_000));',
    codes: ['ERR_EXECUTE_WAITING_TIME'],
    limits: { waitMs: 200 },
  },
  {
    kind: 'flood of calls',
    code: 'import { echo } from "servers/one"; await Promise.all(Array.from({ length: 500 }, (_, value) => echo({ value })));',
    codes: ['ERR_EXECUTE_TOOL_CALLS', ...UPSTREAM_CODES],
    limits: { maxToolCalls: 100 },
  },
  { kind: 'throws', code: 'throw new Error("on purpose");', codes: ['ERR_EXECUTE_THROWN'] },
  { kind: 'result without end', code: 'return "x".repeat(70_000_000);', codes: ['ERR_EXECUTE_RESULT_TOO_LARGE', 'ERR_EXECUTE_MEMORY'] },
  { kind: 'result that is none', code: 'const a: unknown[] = []; a.push(a); return a;', codes: ['ERR_EXECUTE_RESULT_INVALID'] },
  { kind: 'wrong types', code: 'const n: number = "text"; return n;', codes: ['ERR_CHECK_TYPES'] },
  { kind: 'no syntax', code: 'return (((', codes: ['ERR_BUNDLE_SYNTAX', 'ERR_CHECK_TYPES'] },
  { kind: 'forbidden import', code: 'import fs from "node:fs"; return fs;', codes: ['ERR_BUNDLE_IMPORT', 'ERR_CHECK_TYPES'] },
];

export function hostile({ random, fresh }: Maker): Task {
  const { kind, code, codes, limits } = random.pick(PROGRAMS);
  // As often as not a program that nobody has seen: then everything has to be made for it.
  const text = random.chance(0.5) ? `${code}\n// ${fresh()}` : code;
  return { kind, arguments: { code: text, ...(limits && { limits }) }, codes, judge: never };
}

/** Something long that its client does not wait for. */
export function abandoned({ random }: Maker, manner: 'drop' | 'cancel'): Task {
  const programs = [
    'for (;;);',
    'import { slow } from "servers/one"; return (await slow({ ms: 2000, value: 1 })).value;',
    'import { slow } from "servers/web"; return (await slow({ ms: 2000, value: 1 })).value;',
    'await new Promise((go) => setTimeout(go, 2_000)); return 1;',
    'return "x".repeat(5_000_000);',
  ];
  return {
    kind: manner === 'drop' ? 'disconnect' : 'cancel',
    arguments: { code: random.pick(programs), limits: { fuel: 4_000_000_000, waitMs: 5_000 } },
    codes: ['ERR_EXECUTE_FUEL', 'ERR_EXECUTE_CANCELLED', 'ERR_EXECUTE_WAITING_TIME', ...UPSTREAM_CODES, 'ERR_EXECUTE_THROWN'],
    judge: ({ result }) => (result === 1 || typeof result === 'string' ? undefined : `the result is ${clip(JSON.stringify(result))}`),
    manner,
    afterMs: random.below(400),
  };
}
