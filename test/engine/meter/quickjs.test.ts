import { beforeAll, describe, expect, test } from 'vitest';
import { FUEL_EXPORT } from '../../../src/engine/meter/abi.ts';
import { buildQuickJs, runScript } from './quickjs-engine.ts';
import type { QuickJs } from './quickjs-engine.ts';

const MAXIMUM_PAGES = 1000;
const outOfFuel = expect.objectContaining({ code: 'ERR_EXECUTE_FUEL' });

let quickJs: QuickJs;
beforeAll(async () => {
  quickJs = await buildQuickJs(MAXIMUM_PAGES);
}, 60_000);

describe('QuickJS, a handful of core modules around one memory', () => {
  test('has one counter, which every module with code to meter shares', () => {
    const modules = [...quickJs.engine.modules.values()];
    const owners = modules.filter((module) => WebAssembly.Module.exports(module).some(({ name }) => name === FUEL_EXPORT));
    const others = modules.filter((module) => WebAssembly.Module.imports(module).some((wanted) => wanted.module === 'ampoule'));
    expect(owners.length).toBe(1);
    expect(others.length).toBeGreaterThan(0);
    expect(new Set(runScript(quickJs, 'return 1;').linked.globals.filter((global) => typeof global.value === 'bigint')).size).toBe(1);
  });

  test('counts the same fuel for the same script in fresh instances, and more for more work', () => {
    const script = (turns: number): string => `let s = ''; for (let i = 0; i < ${turns}; i++) s += i; return s.length;`;
    const first = runScript(quickJs, script(1000));
    expect(first.texts).toEqual(['returned', '2890']);
    expect(runScript(quickJs, script(1000)).meter.fuelUsed).toBe(first.meter.fuelUsed);
    const more = runScript(quickJs, script(2000)).meter.fuelUsed - first.meter.fuelUsed;
    expect(more).toBeGreaterThan(1000 * 50);
  });

  test('counts what the modules around the engine do', () => {
    const { linked, meter } = runScript(quickJs, 'return 1;');
    const before = meter.fuelUsed;
    linked.guest.status();
    expect(meter.fuelUsed).toBeGreaterThan(before);
  });

  test.each<[string, string]>([
    ['an endless loop', 'for (;;);'],
    ['an endless chain of promise jobs', 'const again = () => Promise.resolve().then(again); return again();'],
    ['a regular expression bomb', 'return /^(a+)+$/.test("a".repeat(64) + "b");'],
    ['one huge builtin call', 'const a = new Array(1e9); return a.indexOf(5);'],
    ['an endless loop that catches all', 'for (;;) { try { for (;;) {} } catch {} }'],
  ])('%s ends when the fuel does', (_, script) => {
    const { thrown, meter } = runScript(quickJs, script, { fuel: 2e8 });
    expect(thrown).toEqual(outOfFuel);
    expect(meter.fuelUsed).toBeGreaterThan(2e8);
  });

  test('an endless loop ends at the same unit of fuel each time', () => {
    const stops = [1, 2, 3].map(() => runScript(quickJs, 'for (let i = 0; ; i++) String(i);', { fuel: 123_456_789 }).meter.fuelUsed);
    expect(new Set(stops).size).toBe(1);
  });

  test('an endless loop ends at an interrupt', () => {
    const interrupt = Int32Array.of(1);
    expect(runScript(quickJs, 'for (;;);', { interrupt }).thrown).toEqual(expect.objectContaining({ code: 'ERR_EXECUTE_CANCELLED' }));
  });

  test('an allocation bomb gets no more memory than its cap', () => {
    const { texts, meter, linked } = runScript(quickJs, 'const all = []; for (;;) all.push(new Uint8Array(100_000).fill(1));');
    expect(texts?.[0]).toBe('threw');
    expect(meter.refusedGrowth).toBe(true);
    const start = runScript(quickJs, 'return 1;').linked.memory.buffer.byteLength;
    expect(linked.memory.buffer.byteLength).toBeLessThanOrEqual(start + 100 * 65_536);
    expect(linked.memory.buffer.byteLength).toBeGreaterThan(start + 50 * 65_536);
  });

  test('has the maximum of its memory in the binary, in the module that defines it', () => {
    const { memory } = runScript(quickJs, 'return 1;').linked;
    const missing = MAXIMUM_PAGES - memory.buffer.byteLength / 65_536;
    expect(() => memory.grow(missing + 1)).toThrow(RangeError);
    memory.grow(missing);
    expect(memory.buffer.byteLength).toBe(MAXIMUM_PAGES * 65_536);
  });
});
