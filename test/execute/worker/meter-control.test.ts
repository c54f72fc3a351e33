import { expect, test } from 'vitest';
import { MeterControl, type MeterBudget } from '../../../src/execute/worker/meter-control.ts';

const SLICE = 50_000_000;

function open(budget: Partial<MeterBudget> = {}): { meter: MeterControl; fuel: WebAssembly.Global; memory: WebAssembly.Memory } {
  const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, 0n);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 20 });
  const meter = new MeterControl(fuel, memory);
  meter.begin({ fuel: 1e9, pages: 2, maximumPages: 10, activeMs: 1_000, interrupt: new Int32Array(1), ...budget });
  return { meter, fuel, memory };
}

/** What the guest does: pays, and asks for more when the counter is below zero. */
function burn({ meter, fuel }: { meter: MeterControl; fuel: WebAssembly.Global }, cost: number): void {
  fuel.value = fuel.value - BigInt(cost);
  if (fuel.value < 0n) meter.refuel();
}

test('fuel is handed out in slices and counted exactly', () => {
  const guest = open();
  burn(guest, 10);
  expect(guest.fuel.value).toBe(BigInt(SLICE - 10));
  expect(guest.meter.fuelUsed).toBe(10);
  for (let i = 0; i < 1_000; i++) burn(guest, 77_777);
  expect(guest.meter.fuelUsed).toBe(10 + 77_777_000);
});

test('the last unit of fuel may be used and not one more', () => {
  const guest = open({ fuel: 1_000 });
  burn(guest, 400);
  burn(guest, 600);
  expect(guest.meter.fuelUsed).toBe(1_000);
  expect(() => burn(guest, 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' }));
});

test('one bulk operation larger than a slice gets what it needs when so much is left', () => {
  const guest = open({ fuel: 3 * SLICE });
  burn(guest, 3 * SLICE);
  expect(guest.meter.fuelUsed).toBe(3 * SLICE);
  expect(guest.fuel.value).toBe(0n);
});

test('one bulk operation larger than all that is left ends the run', () => {
  const guest = open({ fuel: 3 * SLICE });
  expect(() => burn(guest, 3 * SLICE + 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' }));
});

test('no fuel at all ends the run at its first instruction', () => {
  expect(() => burn(open({ fuel: 0 }), 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' }));
});

test('an interrupt ends the run at its next slice, whatever else is over', () => {
  const interrupt = new Int32Array(new SharedArrayBuffer(4));
  const guest = open({ interrupt, fuel: 0 });
  Atomics.store(interrupt, 0, 1);
  expect(() => burn(guest, 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_CANCELLED' }));
});

test('active time is what calls take, not what lies between them', async () => {
  const { meter } = open();
  meter.active(() => undefined);
  await new Promise((resolve) => void setTimeout(resolve, 30));
  meter.active(() => undefined);
  expect(meter.activeMs).toBeLessThan(20);
});

test('a call that computes past its active time is stopped, and the time is counted although it throws', () => {
  const guest = open({ activeMs: 20 });
  const spin = (): void => {
    const until = performance.now() + 40;
    while (performance.now() < until);
    burn(guest, 1);
  };
  expect(() => guest.meter.active(spin)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_ACTIVE_TIME' }));
  expect(guest.meter.activeMs).toBeGreaterThanOrEqual(40);
});

test('active time of several calls adds up', () => {
  const guest = open({ activeMs: 30 });
  const spin = (): void => {
    const until = performance.now() + 20;
    while (performance.now() < until);
    burn(guest, SLICE);
  };
  guest.meter.active(spin);
  expect(() => guest.meter.active(spin)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_ACTIVE_TIME' }));
});

test('memory grows up to the cap and not a page over it', () => {
  const { meter, memory } = open();
  expect(meter.grow(8)).toBe(2);
  expect([meter.size(), meter.pages, memory.buffer.byteLength]).toEqual([10, 10, 10 * 65_536]);
  expect(meter.refusedGrowth).toBe(false);
  expect(meter.grow(1)).toBe(-1);
  expect([meter.size(), meter.refusedGrowth]).toEqual([10, true]);
});

test.each([-1, 0x8000_0000, 0xffff_ffff])('growth by %d pages is refused', (delta) => {
  const { meter } = open();
  expect(meter.grow(delta)).toBe(-1);
  expect(meter.size()).toBe(2);
});

test('growth that the machine refuses is refused to the guest', () => {
  const { meter } = open({ maximumPages: 100 });
  expect(meter.grow(50)).toBe(-1);
  expect(meter.refusedGrowth).toBe(true);
});

test('memory that was grown before is given again without growing', () => {
  const { meter, memory } = open();
  meter.grow(8);
  meter.begin({ fuel: 1, pages: 2, maximumPages: 10, activeMs: 1, interrupt: new Int32Array(1) });
  expect(meter.grow(3)).toBe(2);
  expect([meter.size(), memory.buffer.byteLength]).toEqual([5, 10 * 65_536]);
});

test('begin forgets everything of the run before', () => {
  const guest = open({ fuel: 100 });
  burn(guest, 60);
  guest.meter.grow(100);
  guest.meter.begin({ fuel: 100, pages: 2, maximumPages: 10, activeMs: 1_000, interrupt: new Int32Array(1) });
  expect([guest.meter.fuelUsed, guest.meter.activeMs, guest.meter.refusedGrowth]).toEqual([0, 0, false]);
  burn(guest, 100);
  expect(guest.meter.fuelUsed).toBe(100);
});

const PAGE = 65_536;
const FREE = 1024 * 1024;

test('what the host holds for a run counts as its memory, past a first megabyte', () => {
  const { meter } = open();
  meter.holdBytes(FREE);
  expect(meter.grow(8)).toBe(2);
  expect(() => meter.holdBytes(1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_MEMORY' }));
});

test('memory that the host holds cannot be grown into, until it is given back', () => {
  const { meter } = open();
  meter.holdBytes(FREE + 3 * PAGE);
  expect(meter.grow(6)).toBe(-1);
  expect(meter.grow(5)).toBe(2);
  meter.holdBytes(-3 * PAGE);
  expect(meter.grow(3)).toBe(7);
  expect(meter.hostBytes).toBe(FREE);
});

test('the process is asked before the host holds more for a run', () => {
  const asked: number[] = [];
  const { meter } = open({ mayGrow: (pages) => asked.push(pages) < 2 });
  meter.holdBytes(FREE);
  meter.holdBytes(2 * PAGE);
  expect(() => meter.holdBytes(PAGE)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_MEMORY' }));
  expect(asked).toEqual([2, 1]);
});

test('a meter goes on where another one stood, to the last unit of fuel, page and millisecond', () => {
  const first = open({ maximumPages: 22 });
  burn(first, 1_234);
  first.meter.grow(3);
  first.meter.holdBytes(2_000_000);
  const state = first.meter.snapshot();
  const second = open();
  const budget = { fuel: 2_000, pages: 2, maximumPages: 22, activeMs: 1_000, interrupt: new Int32Array(1) };
  second.meter.begin(budget, { ...state, granted: 2_000, slice: 766 });
  expect([second.meter.fuelUsed, second.meter.pages, second.meter.hostBytes]).toEqual([1_234, 5, 2_000_000]);
  burn(second, 766);
  expect(() => burn(second, 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' }));
  // Fifteen pages are the host's.
  expect([second.meter.grow(3), second.meter.refusedGrowth]).toEqual([-1, true]);
  const third = open();
  third.meter.begin(budget, second.meter.snapshot());
  expect([third.meter.refusedGrowth, third.meter.grow(2)]).toEqual([true, 5]);
});

test('active time goes on where another meter stood', () => {
  const work = (activeMs: number): (() => void) => {
    const guest = open();
    const budget = { fuel: 1e9, pages: 2, maximumPages: 10, activeMs: 60_000, interrupt: new Int32Array(1) };
    guest.meter.begin(budget, { ...guest.meter.snapshot(), activeMs });
    return () => guest.meter.active(() => burn(guest, 1));
  };
  expect(work(1_000)).not.toThrow();
  expect(work(60_001)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTE_ACTIVE_TIME' }));
});
