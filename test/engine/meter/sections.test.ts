import { describe, expect, test } from 'vitest';
import { connectHost } from '../../../src/engine/meter/host-table.ts';
import { Reader } from '../../../src/engine/meter/reader.ts';
import { meterOne } from './metered-instance.ts';
import { I32, buildModule, text } from './wasm-builder.ts';
import type { Bytes } from './wasm-builder.ts';

const MEMORY: Bytes = [0, 1];

describe('sections', () => {
  const FIRST: Bytes = [0x23, 0, 0x0b];
  const base: Bytes = [...text('a'), ...text('base'), 3, I32, 0];
  const elements: Bytes[] = [
    [0, ...FIRST, 1, 0],
    [1, 0, 1, 0],
    [2, 0, ...FIRST, 0, 1, 0],
    [3, 0, 1, 0],
    [4, ...FIRST, 1, 0xd2, 0, 0x0b],
    [5, 0x70, 1, 0xd0, 0x70, 0x0b],
    [6, 0, ...FIRST, 0x70, 1, 0xd2, 0, 0x0b],
    [7, 0x70, 1, 0xd2, 0, 0x0b],
  ];
  const bytes = buildModule({
    functions: [{ name: 'get', results: [I32], code: [0x03, 0x40, 0x0b, 0x23, 1, 0x41, 9, 0x24, 1] }],
    imports: [base],
    tables: [[0x70, 0, 9]],
    memories: [MEMORY],
    globals: [[I32, 1, 0x23, 0, 0x0b]],
    exports: [
      [...text('memory'), 2, 0],
      [...text('base'), 3, 0],
      [...text('mine'), 3, 1],
    ],
    elements,
    data: [
      [0, ...FIRST, 1, 7],
      [1, 1, 8],
      [2, 0, ...FIRST, 1, 9],
    ],
  });

  test.each<['m' | null]>([['m'], [null]])('of every form keep their meaning, with owner %s', (owner) => {
    const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, 100n);
    const imports = { a: { base: new WebAssembly.Global({ value: 'i32', mutable: false }, 3) }, ampoule: { fuel } };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(meterOne(bytes, owner))), imports);
    connectHost(exports['ampoule:host'] as WebAssembly.Table, { refuel() {}, size: () => 0, grow: () => -1 });
    const [baseGlobal, mine] = [exports['base'], exports['mine']] as [WebAssembly.Global, WebAssembly.Global];
    expect(new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer)[3]).toBe(9);
    expect([baseGlobal.value, mine.value]).toEqual([3, 3]);
    expect((exports['get'] as () => number)()).toBe(3);
    expect([baseGlobal.value, mine.value]).toEqual([3, 9]);
  });

  test.each<['m' | null]>([['m'], [null]])(
    'of position-independent code keep their offsets, imported memory and table, with owner %s',
    (owner) => {
      const offset: Bytes = [0x23, 0, 0x41, 1, 0x6a, 0x0b];
      const independent = buildModule({
        functions: [{ name: 'get', results: [I32], code: [0x03, 0x40, 0x0b, 0x23, 1] }],
        imports: [base, [...text('a'), ...text('memory'), 2, 0, 1], [...text('a'), ...text('table'), 1, 0x70, 0, 9]],
        globals: [[I32, 0, ...offset]],
        elements: [[0, ...offset, 1, 0]],
        data: [[0, ...offset, 1, 7]],
      });
      const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, 100n);
      const memory = new WebAssembly.Memory({ initial: 1 });
      const table = new WebAssembly.Table({ element: 'anyfunc', initial: 9 });
      const imports = { a: { base: new WebAssembly.Global({ value: 'i32', mutable: false }, 3), memory, table }, ampoule: { fuel } };
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(meterOne(independent, owner))), imports);
      const counter = (exports['ampoule:fuel'] ?? fuel) as WebAssembly.Global;
      counter.value = 100n;
      expect(new Uint8Array(memory.buffer)[4]).toBe(7);
      expect((table.get(4) as () => number)()).toBe(4);
      expect(counter.value).toBeLessThan(100n);
    },
  );

  test('of hints point at the tests of the counter, and nowhere else', () => {
    const hints = sectionOf(meterOne(bytes), 0);
    expect(hints.name()).toBe('metadata.code.branch_hint');
    // One function, number 0, with two tests: at its entry and at its loop header.
    const [functions, index, count, first, length, value, second] = hints.bytes.subarray(hints.position, hints.end);
    expect([functions, index, count, length, value]).toEqual([1, 0, 2, 1, 0]);
    const code = sectionOf(meterOne(bytes), 10);
    code.u32();
    const body = code.bytes.subarray(code.position + 1);
    expect([body[first ?? 0], body[(first ?? 0) + 1]]).toEqual([0x04, 0x40]);
    expect([body[second ?? 0], body[(second ?? 0) + 1]]).toEqual([0x04, 0x40]);
  });
});

/** The contents of the first section with this id. */
function sectionOf(bytes: Uint8Array, wanted: number): Reader {
  const reader = new Reader(bytes, { module: 'm', functionIndex: -1 }, 8);
  for (;;) {
    const id = reader.byte();
    const contents = reader.slice(reader.u32());
    if (id === wanted) return contents;
  }
}
