import * as fc from 'fast-check';
import { expect } from 'vitest';
import { SEGMENT_LIMIT } from '../../src/engine/meter/abi.ts';
import { connectHost } from '../../src/engine/meter/host-table.ts';
import { meterModules } from '../../src/engine/meter/meter.ts';
import { assemble } from './meter/assemble.ts';
import { isTrampoline } from './meter/charges.ts';
import { generateProgram } from './meter/generate.ts';
import { MAXIMUM_PAGES } from './meter/instruction.ts';
import { interpret } from './meter/interpret.ts';
import { property } from './property.ts';

const TURNS = 24;
const PLENTY = 2 ** 50;

interface Seen {
  readonly result: number | 'trap' | 'out of fuel';
  readonly effects: readonly number[];
  readonly memory: Uint8Array;
  readonly fuel: number;
}

/** Runs the module on V8. @param fuel undefined: without a meter */
function runOnV8(bytes: Uint8Array, input: number, fuel?: number, owner: 'm' | null = 'm'): Seen {
  const effects: number[] = [];
  const counter = new WebAssembly.Global({ value: 'i64', mutable: true }, BigInt(fuel ?? 0));
  const imports: WebAssembly.Imports = { env: { effect: (value: number) => void effects.push(value) }, ampoule: { fuel: counter } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(bytes)), imports);
  const memory = exports['memory'] as WebAssembly.Memory;
  const table = exports['ampoule:host'];
  const left = owner === null ? counter : exports['ampoule:fuel'];
  if (left instanceof WebAssembly.Global) left.value = BigInt(fuel ?? 0);
  if (table instanceof WebAssembly.Table) connectHost(table, hostOf(memory));
  (exports['turns'] as unknown as { value: number }).value = TURNS;
  const result = ended(() => (exports['run'] as (value: number) => number)(input));
  const used = left instanceof WebAssembly.Global ? (fuel ?? 0) - Number(left.value) : 0;
  return { result, effects, memory: new Uint8Array(memory.buffer), fuel: used };
}

function hostOf(memory: WebAssembly.Memory): Parameters<typeof connectHost>[1] {
  return {
    refuel: () => {
      throw new Error('out of fuel');
    },
    size: () => memory.buffer.byteLength / 65_536,
    grow: (pages) => {
      try {
        return memory.grow(pages);
      } catch {
        return -1;
      }
    },
  };
}

function ended(run: () => number): Seen['result'] {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) return 'trap';
    if (thrown instanceof Error && thrown.message === 'out of fuel') return 'out of fuel';
    throw thrown;
  }
}

function meter(bytes: Uint8Array, owner: 'm' | null): Uint8Array {
  return meterModules(new Map([['m', bytes]]), { owner, maximumPages: MAXIMUM_PAGES }).get('m') ?? bytes;
}

function same(a: Seen, b: Seen): void {
  expect({ result: a.result, effects: a.effects, fuel: a.fuel }).toEqual({ result: b.result, effects: b.effects, fuel: b.fuel });
  expect(Buffer.compare(a.memory, b.memory), 'memory').toBe(0);
}

const choices = fc.array(fc.nat(2 ** 20), { maxLength: 300, size: 'max' });
const inputs = fc.constantFrom(0, 1, 7, -1, 65_535, 2 ** 31 - 1);

property(
  'a metered module does what it does without a meter, and what its instructions mean',
  80,
  fc.tuple(choices, inputs),
  ([chosen, input]) => {
    const program = generateProgram(chosen);
    const bytes = assemble(program);
    expect(WebAssembly.validate(Buffer.from(bytes))).toBe(true);
    const plain = runOnV8(bytes, input);
    const { fuel, ...reference } = interpret(program, input, TURNS, PLENTY);
    same({ ...reference, fuel: 0 }, plain);
    same({ ...plain, fuel }, runOnV8(meter(bytes, 'm'), input, PLENTY));
    const isMetered = !program.functions.every(isTrampoline);
    same({ ...plain, fuel: isMetered ? fuel : 0 }, runOnV8(meter(bytes, null), input, PLENTY, null));
  },
);

property(
  'fuel pays for all that is executed, and each charge is too high by no more than its bound',
  300,
  fc.tuple(choices, inputs),
  ([chosen, input]) => {
    const { result, fuel, executed, unpaid, charges } = interpret(generateProgram(chosen), input, TURNS, PLENTY);
    expect(executed - unpaid).toBeLessThanOrEqual(fuel);
    // A trap leaves the rest of a piece undone, which may be longer than the bound.
    if (result !== 'trap') expect(fuel - (executed - unpaid)).toBeLessThanOrEqual(charges * SEGMENT_LIMIT);
  },
);

property(
  'a run that is stopped stops at the same place with the same fuel, after a part of what it would have done',
  12,
  fc.tuple(choices, inputs, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 12 })),
  ([chosen, input, places]) => {
    const program = generateProgram(chosen);
    const whole = interpret(program, input, TURNS, PLENTY);
    const bytes = meter(assemble(program), 'm');
    const every = Array.from({ length: Math.min(200, whole.fuel + 1) }, (_, fuel) => fuel);
    const some = places.map((place) => Math.floor((place / 1_000) * whole.fuel));
    let last = 0;
    for (const limit of [...every, ...some].toSorted((a, b) => a - b)) {
      const stopped = runOnV8(bytes, input, limit);
      same(interpret(program, input, TURNS, limit), stopped);
      expect(stopped.effects).toEqual(whole.effects.slice(0, stopped.effects.length));
      expect(stopped.effects.length).toBeGreaterThanOrEqual(last);
      last = stopped.effects.length;
    }
  },
);

const damage = fc.array(fc.tuple(fc.nat(5_000), fc.nat(255), fc.boolean()), { minLength: 1, maxLength: 3 });

property('a damaged module is refused with its code, or is a valid one with a meter', 300, fc.tuple(choices, damage), ([chosen, list]) => {
  let bytes = Buffer.from(assemble(generateProgram(chosen)));
  for (const [place, byte, cuts] of list) {
    const at = place % bytes.length;
    if (cuts && byte < 20) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    else bytes[at] = byte;
  }
  try {
    expect(WebAssembly.validate(Buffer.from(meter(bytes, 'm')))).toBe(true);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'ERR_ENGINE_METER' });
  }
});
