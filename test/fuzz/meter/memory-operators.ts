import { u } from '../../engine/meter/wasm-builder.ts';
import { Trap, type Machine, type Plain } from './instruction.ts';

const PAGE_BYTES = 65_536;
const COST_BULK = 8;
const COST_HOST = 64;

function pop({ stack }: Machine): number {
  return Number(stack.pop() ?? 0);
}

function inside(at: number, length: number, size: number): void {
  if (at + length > size) throw new Trap();
}

function viewOf({ memory }: Machine): DataView {
  return new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
}

/** [opcode, bytes, how it reads] */
const LOADS = [
  [0x28, 4, (view: DataView, at: number) => view.getInt32(at, true)],
  [0x2c, 1, (view: DataView, at: number) => view.getInt8(at)],
  [0x2d, 1, (view: DataView, at: number) => view.getUint8(at)],
  [0x2e, 2, (view: DataView, at: number) => view.getInt16(at, true)],
  [0x2f, 2, (view: DataView, at: number) => view.getUint16(at, true)],
] as const;

export function load(which: number, offset: number): Plain {
  const [opcode, bytes, read] = LOADS[which % LOADS.length] ?? LOADS[0];
  const run = (machine: Machine): void => {
    const at = (pop(machine) >>> 0) + offset;
    inside(at, bytes, machine.memory.length);
    machine.stack.push(read(viewOf(machine), at));
  };
  return { kind: 'plain', bytes: [opcode, 0, ...u(offset)], cost: 1, run };
}

const STORES = [
  [0x36, 4, (view: DataView, at: number, value: number) => view.setInt32(at, value, true)],
  [0x3a, 1, (view: DataView, at: number, value: number) => view.setInt8(at, value)],
  [0x3b, 2, (view: DataView, at: number, value: number) => view.setInt16(at, value, true)],
] as const;

export function store(which: number, offset: number): Plain {
  const [opcode, bytes, write] = STORES[which % STORES.length] ?? STORES[0];
  const run = (machine: Machine): void => {
    const value = pop(machine);
    const at = (pop(machine) >>> 0) + offset;
    inside(at, bytes, machine.memory.length);
    write(viewOf(machine), at, value);
  };
  return { kind: 'plain', bytes: [opcode, 0, ...u(offset)], cost: 1, run };
}

export const MEMORY_SIZE: Plain = {
  kind: 'plain',
  class: 'host',
  bytes: [0x3f, 0],
  cost: COST_HOST,
  run: ({ stack, memory }) => void stack.push(memory.length / PAGE_BYTES),
};

export const MEMORY_GROW: Plain = {
  kind: 'plain',
  class: 'host',
  bytes: [0x40, 0],
  cost: COST_HOST,
  run: (machine) => {
    const before = machine.memory.length / PAGE_BYTES;
    const after = before + (pop(machine) >>> 0);
    machine.stack.push(after > machine.maximumPages ? -1 : before);
    if (after > machine.maximumPages) return;
    const grown = new Uint8Array(after * PAGE_BYTES);
    grown.set(machine.memory);
    machine.memory = grown;
  },
};

/** A bulk operation of three i32: `at`, `from` (or a value) and a length. */
function bulk(bytes: readonly number[], run: (machine: Machine, at: number, from: number, length: number) => void): Plain {
  return {
    kind: 'plain',
    class: 'bulk',
    bytes,
    cost: COST_BULK,
    run: (machine) => {
      const length = pop(machine) >>> 0;
      const from = pop(machine);
      run(machine, pop(machine) >>> 0, from, length);
    },
  };
}

export const BULKS: readonly Plain[] = [
  bulk([0xfc, 11, 0], ({ memory }, at, value, length) => {
    inside(at, length, memory.length);
    memory.fill(value & 255, at, at + length);
  }),
  bulk([0xfc, 10, 0, 0], ({ memory }, at, from, length) => {
    inside(at, length, memory.length);
    inside(from >>> 0, length, memory.length);
    memory.copyWithin(at, from >>> 0, (from >>> 0) + length);
  }),
  bulk([0xfc, 8, 0, 0], ({ memory, data }, at, from, length) => {
    inside(from >>> 0, length, data.length);
    inside(at, length, memory.length);
    memory.set(data.subarray(from >>> 0, (from >>> 0) + length), at);
  }),
  bulk([0xfc, 12, 0, 0], ({ table, elements }, at, from, length) => {
    inside(from >>> 0, length, elements.length);
    inside(at, length, table.length);
    for (let index = 0; index < length; index++) table[at + index] = elements[(from >>> 0) + index] ?? null;
  }),
  bulk([0xfc, 14, 0, 0], ({ table }, at, from, length) => {
    inside(at, length, table.length);
    inside(from >>> 0, length, table.length);
    table.copyWithin(at, from >>> 0, (from >>> 0) + length);
  }),
];

export const DROP_DATA: Plain = { kind: 'plain', bytes: [0xfc, 9, 0], cost: 1, run: (machine) => void (machine.data = new Uint8Array()) };
export const DROP_ELEMENTS: Plain = { kind: 'plain', bytes: [0xfc, 13, 0], cost: 1, run: (machine) => void (machine.elements = []) };
export const TABLE_SIZE_OF: Plain = {
  kind: 'plain',
  bytes: [0xfc, 16, 0],
  cost: 1,
  run: ({ stack, table }) => void stack.push(table.length),
};
export const NULL: Plain = { kind: 'plain', bytes: [0xd0, 0x70], cost: 1, run: ({ stack }) => void stack.push(-1) };

/** With a null and a count on the stack. */
export const TABLE_GROW: Plain = {
  kind: 'plain',
  class: 'bulk',
  bytes: [0xfc, 15, 0],
  cost: COST_BULK,
  run: (machine) => {
    const more = pop(machine) >>> 0;
    pop(machine);
    const before = machine.table.length;
    const fits = before + more <= machine.maximumTable;
    machine.stack.push(fits ? before : -1);
    if (fits) machine.table.push(...Array.from({ length: more }, () => null));
  },
};

/** With a place, a null and a count on the stack. */
export const TABLE_FILL: Plain = {
  kind: 'plain',
  class: 'bulk',
  bytes: [0xfc, 17, 0],
  cost: COST_BULK,
  run: (machine) => {
    const length = pop(machine) >>> 0;
    pop(machine);
    const at = pop(machine) >>> 0;
    inside(at, length, machine.table.length);
    machine.table.fill(null, at, at + length);
  },
};

/** Calls the one imported function. */
export const EFFECT: Plain = { kind: 'plain', class: 'call', bytes: [0x10, 0], cost: 8, run: (machine) => machine.effect(pop(machine)) };
