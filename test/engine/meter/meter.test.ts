import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../../src/errors.ts';
import { connectHost } from '../../../src/engine/meter/host-table.ts';
import { METER_VERSION, meterModules } from '../../../src/engine/meter/meter.ts';
import { PAGES, PLENTY, instantiateMetered, meterOne } from './metered-instance.ts';
import { I32, buildModule, s, text, u } from './wasm-builder.ts';
import type { Bytes } from './wasm-builder.ts';

const ENDLESS: Bytes = [0x03, 0x40, 0x0c, 0, 0x0b];
/** Counts its parameter down to 0 in a loop: 5 instructions for each turn. */
const COUNTDOWN: Bytes = [0x03, 0x40, 0x20, 0, 0x41, ...s(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
const MEMORY: Bytes = [0, 1];

function refusal(run: () => unknown): SandboxError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SandboxError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}

describe('fuel', () => {
  test('ends an endless loop when the host throws in refuel', () => {
    const metered = instantiateMetered(buildModule({ functions: [{ name: 'spin', code: ENDLESS }] }));
    metered.fuel.value = 1_000_000n;
    expect(() => metered.call('spin')).toThrow('out of fuel');
    expect(metered.fuel.value).toBeLessThan(0n);
  });

  test('ends endless recursion through a table before the stack does', () => {
    const functions = [{ name: 'recurse', code: [0x41, ...s(0), 0x11, 0, 0, 0x10, 0] }];
    const elements = [[0, 0x41, ...s(0), 0x0b, 1, 0]];
    const metered = instantiateMetered(buildModule({ functions, tables: [[0x70, 0, 1]], elements }));
    metered.fuel.value = 1000n;
    expect(() => metered.call('recurse')).toThrow('out of fuel');
  });

  test('goes on where it was when the host adds a slice', () => {
    const bytes = buildModule({ functions: [{ name: 'count', parameters: [I32], code: COUNTDOWN }] });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(meterOne(bytes))));
    const fuel = exports['ampoule:fuel'] as WebAssembly.Global;
    expect(fuel.value).toBe(0n);
    let slices = 0;
    const refuel = (): void => {
      slices++;
      fuel.value += 1000n;
    };
    connectHost(exports['ampoule:host'] as WebAssembly.Table, { refuel, size: () => 0, grow: () => -1 });
    (exports['count'] as (n: number) => void)(10_000);
    expect(slices).toBeGreaterThanOrEqual(50);
    expect(slices).toBeLessThan(60);
  });

  test('is the same in every run and grows with the number of turns', () => {
    const metered = instantiateMetered(buildModule({ functions: [{ name: 'count', parameters: [I32], code: COUNTDOWN }] }));
    const costs = Array.from({ length: 100 }, () => metered.costOf('count', 500));
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeGreaterThanOrEqual(500 * 5);
    expect(costs[0]).toBeLessThanOrEqual(500 * 5 + 2);
  });

  test('does not make a loop pay for the cases of a switch that it does not take', () => {
    const filler = Array.from({ length: 2000 }, () => [0x41, ...s(1), 0x1a]).flat();
    const body = [0x02, 0x40, 0x02, 0x40, 0x41, ...s(1), 0x0e, ...u(1), 0, 1, 0x0b, ...filler, 0x0b];
    const code = [0x03, 0x40, ...body, 0x20, 0, 0x41, ...s(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
    const metered = instantiateMetered(buildModule({ functions: [{ name: 'switch', parameters: [I32], code }] }));
    expect(metered.costOf('switch', 100)).toBeLessThan(100 * 20);
  });

  test('is charged for a tiny leaf function by its caller', () => {
    const leaf = { code: [0x01, 0x01, 0x01] };
    const caller = { name: 'caller', code: [0x10, 0, 0x10, 0] };
    const metered = instantiateMetered(buildModule({ functions: [leaf, caller] }));
    expect(metered.costOf('caller')).toBeGreaterThanOrEqual(2 + 6);
  });
});

describe('memory', () => {
  const grow = { name: 'grow', parameters: [I32], results: [I32], code: [0x20, 0, 0x40, 0] };
  const size = { name: 'size', results: [I32], code: [0x3f, 0] };

  test('asks the host for its size and growth', () => {
    const metered = instantiateMetered(buildModule({ functions: [grow, size], memories: [MEMORY] }));
    expect(metered.call('size')).toBe(1);
    expect(metered.call('grow', 3)).toBe(1);
    expect(metered.call('size')).toBe(4);
    expect(metered.call('grow', -1)).toBe(-1);
    expect(metered.asked).toEqual(['size', 'grow 3', 'size', 'grow 4294967295']);
  });

  test('has the maximum in the binary', () => {
    const exports = [[...text('memory'), 2, 0]];
    const metered = instantiateMetered(buildModule({ functions: [grow], memories: [MEMORY], exports }));
    const memory = metered.exports['memory'] as WebAssembly.Memory;
    expect(memory.grow(PAGES - 1)).toBe(1);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  test('keeps a smaller maximum of its own', () => {
    const exports = [[...text('memory'), 2, 0]];
    const metered = instantiateMetered(buildModule({ functions: [grow], memories: [[1, 1, 2]], exports }));
    expect(() => (metered.exports['memory'] as WebAssembly.Memory).grow(2)).toThrow(RangeError);
  });

  test('is refused when it begins with more than the maximum', () => {
    const bytes = buildModule({ functions: [grow], memories: [[0, PAGES + 1]] });
    expect(refusal(() => meterOne(bytes)).message).toContain(`${PAGES + 1} pages`);
  });

  test('pays by length for fill, copy and init, before they happen', () => {
    const three: Bytes = [0x41, ...s(0), 0x41, ...s(0), 0x20, 0];
    const functions = [
      { name: 'fill', parameters: [I32], code: [...three, 0xfc, 11, 0] },
      { name: 'copy', parameters: [I32], code: [...three, 0xfc, 10, 0, 0] },
      { name: 'init', parameters: [I32], code: [...three, 0xfc, 8, 0, 0] },
    ];
    const data = [[1, ...u(128), ...Array.from({ length: 128 }, () => 7)]];
    const metered = instantiateMetered(buildModule({ functions, memories: [MEMORY], data }));
    for (const name of ['fill', 'copy', 'init']) expect(metered.costOf(name, 100) - metered.costOf(name, 0)).toBe(100);
    metered.fuel.value = 10_000n;
    expect(() => metered.call('fill', 65_536)).toThrow('out of fuel');
    metered.fuel.value = PLENTY;
    expect(() => metered.costOf('fill', -1)).toThrow(WebAssembly.RuntimeError);
    expect(PLENTY - metered.fuel.value).toBeGreaterThan(4_000_000_000n);
  });

  test('pays by length for tables too', () => {
    const code: Bytes = [0xd0, 0x70, 0x20, 0, 0xfc, 15, 0, 0x1a];
    const metered = instantiateMetered(buildModule({ functions: [{ name: 'grow', parameters: [I32], code }], tables: [[0x70, 0, 1]] }));
    expect(metered.costOf('grow', 50) - metered.costOf('grow', 0)).toBe(50);
  });
});

describe('several modules', () => {
  const importPeer: Bytes = [...text('a'), ...text('count'), 0, 1];
  const a = buildModule({ functions: [{ name: 'count', parameters: [I32], code: COUNTDOWN }] });
  /** Has a global of its own, read by an export and by code, an imported one in an element offset, and a table. */
  const b = buildModule(
    {
      functions: [{ name: 'run', results: [I32], code: [0x03, 0x40, 0x0b, 0x41, ...s(10), 0x10, 0, 0x23, 1] }],
      imports: [importPeer, [...text('a'), ...text('base'), 3, I32, 0]],
      importedFunctions: 1,
      tables: [[0x70, 0, 4]],
      globals: [[I32, 0, 0x41, ...s(42), 0x0b]],
      exports: [[...text('answer'), 3, 1]],
      elements: [[0, 0x23, 0, 0x0b, 1, 0]],
    },
    [[0x60, 1, I32, 0]],
  );

  function link(owner: 'a' | null): { total: number; result: unknown; answer: unknown } {
    const metered = meterModules(
      new Map([
        ['a', a],
        ['b', b],
      ]),
      { owner, maximumPages: PAGES },
    );
    const own = new WebAssembly.Global({ value: 'i64', mutable: true }, 0n);
    const first = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(metered.get('a')!)), { ampoule: { fuel: own } }).exports;
    const fuel = owner === null ? own : (first['ampoule:fuel'] as WebAssembly.Global);
    const imports = { a: { count: first['count']!, base: new WebAssembly.Global({ value: 'i32', mutable: false }, 2) }, ampoule: { fuel } };
    const second = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(metered.get('b')!)), imports).exports;
    fuel.value = 1000n;
    const result = (second['run'] as () => number)();
    return { total: 1000 - Number(fuel.value), result, answer: (second['answer'] as WebAssembly.Global).value };
  }

  test('share the counter of the owner', () => {
    const { total, result, answer } = link('a');
    expect(total).toBeGreaterThanOrEqual(50 + 3);
    expect(result).toBe(42);
    expect(answer).toBe(42);
  });

  test('share a counter that the host made, at the same price', () => {
    expect(link(null)).toEqual(link('a'));
  });

  test('come out the same each time', () => {
    const run = (): Map<string, Uint8Array> =>
      meterModules(
        new Map([
          ['a', a],
          ['b', b],
        ]),
        { owner: 'a', maximumPages: PAGES },
      );
    expect(run()).toEqual(run());
    expect(METER_VERSION).toMatch(/^meter-\d+$/);
  });

  test('are left as they are when they hold nothing but trampolines', () => {
    const trampoline = buildModule({ functions: [{ name: 'go', code: [0x41, ...s(0), 0x11, 0, 0] }], tables: [[0x70, 0, 1]] });
    const metered = meterModules(
      new Map([
        ['a', a],
        ['shim', trampoline],
      ]),
      { owner: 'a', maximumPages: PAGES },
    );
    expect(metered.get('shim')).toBe(trampoline);
  });

  test('of trampolines get a maximum for their memory and nothing else', () => {
    const functions = [{ name: 'get', results: [I32], code: [0x41, ...s(0), 0x28, 2, 0] }];
    const exports = [[...text('memory'), 2, 0]];
    const bytes = buildModule({ functions, memories: [MEMORY], exports, data: [[0, 0x41, ...s(0), 0x0b, 2, 7, 1]] });
    const made = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(meterOne(bytes, null)))).exports;
    expect(Object.keys(made).toSorted()).toEqual(['get', 'memory']);
    expect((made['get'] as () => number)()).toBe(256 + 7);
    expect(() => (made['memory'] as WebAssembly.Memory).grow(PAGES)).toThrow(RangeError);
    (made['memory'] as WebAssembly.Memory).grow(PAGES - 1);
  });

  test('may be made before the owner of the counter when they hold nothing but trampolines', () => {
    const stub = buildModule({ functions: [{ code: [] }], memories: [[0, 0]] });
    const order = new Map([
      ['shim', buildModule({ functions: [{ code: [] }], memories: [MEMORY] })],
      ['stub', stub],
      ['a', a],
      ['b', b],
    ]);
    const metered = meterModules(order, { owner: 'a', maximumPages: PAGES });
    const imports = (name: string): string[] =>
      WebAssembly.Module.imports(new WebAssembly.Module(Buffer.from(metered.get(name)!))).map(({ module }) => module);
    expect([...metered.keys()].filter((name) => imports(name).includes('ampoule'))).toEqual(['b']);
  });

  test.each<[string, Bytes]>([
    ['a loop', ENDLESS],
    ['two calls', [0x10, 0, 0x10, 0]],
    ['more than a few instructions', Array.from({ length: 65 }, () => 0x01)],
  ])('are metered when a function has %s', (_, code) => {
    const bytes = buildModule({ functions: [{ name: 'f', code }] });
    expect(meterOne(bytes, null)).not.toBe(bytes);
    expect(WebAssembly.validate(Buffer.from(meterOne(bytes, null)))).toBe(true);
  });
});

describe('refusals', () => {
  test('name the module, the function and the offset', () => {
    const bytes = buildModule({ functions: [{ code: [] }, { code: [0x06, 0x40, 0x0b] }] });
    const error = refusal(() => meterOne(bytes));
    expect(error.code).toBe('ERR_ENGINE_METER');
    expect(error.message).toMatch(/module "m", function 1, offset \d+: an opcode that the meter does not know/);
  });

  test.each<[string, Uint8Array]>([
    ['a tail call', buildModule({ functions: [{ code: [0x12, 0] }] })],
    ['exceptions', buildModule({ functions: [{ code: [0x1f, 0x40, 0, 0x0b] }] })],
    ['GC', buildModule({ functions: [{ code: [0xfb, 0x1c] }] })],
    ['threads', buildModule({ functions: [{ code: [0xfe, 3, 0] }] })],
    ['an unassigned vector opcode', buildModule({ functions: [{ code: [0xfd, ...u(0x9a)] }] })],
    ['a second memory', buildModule({ functions: [{ code: [] }], memories: [MEMORY, MEMORY] })],
    ['a memory index', buildModule({ functions: [{ code: [0x3f, 1, 0x1a] }], memories: [MEMORY] })],
    ['a shared memory', buildModule({ functions: [{ code: [] }], memories: [[3, 1, 2]] })],
    ['a 64-bit memory', buildModule({ functions: [{ code: [] }], memories: [[4, 1]] })],
    ['a tag import', buildModule({ functions: [{ code: [] }], imports: [[...text('a'), ...text('b'), 4, 0, 0]] })],
    ['a start function', buildModule({ functions: [{ code: ENDLESS }], start: 0 })],
    ['a function that ends early', buildModule({ functions: [{ code: [0x0b] }] })],
    ['a function that does not end', buildModule({ functions: [{ code: [0x02, 0x40] }] })],
    ['a cut module', buildModule({ functions: [{ code: ENDLESS }] }).slice(0, -3)],
    ['code that would write the counter', buildModule({ functions: [{ code: [0x42, 0, 0x24, 0] }] })],
    ['no module', new TextEncoder().encode('no module')],
  ])('of %s', (_, bytes) => {
    expect(refusal(() => meterOne(bytes)).code).toBe('ERR_ENGINE_METER');
  });

  test.each<['m' | null]>([['m'], [null]])('of a module that is metered already, with owner %s', (owner) => {
    const once = meterOne(buildModule({ functions: [{ code: ENDLESS }] }), owner);
    expect(refusal(() => meterOne(once, owner)).message).toContain('metered already');
  });

  test('of a module with code to meter that is made before the owner of the counter', () => {
    const bytes = buildModule({ functions: [{ code: ENDLESS }] });
    const order = new Map([
      ['first', bytes],
      ['owner', bytes],
    ]);
    expect(refusal(() => meterModules(order, { owner: 'owner', maximumPages: 1 })).message).toContain(
      'module "first", offset 0: it has code',
    );
  });

  test('of a second module whose memory has pages, for the host grows one', () => {
    const bytes = buildModule({ functions: [{ code: [] }], memories: [MEMORY] });
    const both = new Map([
      ['a', bytes],
      ['b', bytes],
    ]);
    expect(refusal(() => meterModules(both, { owner: null, maximumPages: 1 })).message).toContain('module "b", offset 0: a second memory');
  });

  test('of an owner that is not there', () => {
    expect(refusal(() => meterModules(new Map(), { owner: 'x', maximumPages: 1 })).message).toContain('"x"');
  });
});
