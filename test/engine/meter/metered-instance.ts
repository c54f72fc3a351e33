import { connectHost } from '../../../src/engine/meter/host-table.ts';
import { meterModules } from '../../../src/engine/meter/meter.ts';

export const PAGES = 16;
export const PLENTY = 1n << 40n;

/** A metered module with a host that has `fuel`, and throws when it is used up. */
export interface Metered {
  call: (name: string, ...args: number[]) => unknown;
  fuel: WebAssembly.Global;
  exports: WebAssembly.Exports;
  /** What the host was asked for, in order. */
  asked: string[];
  /** Fuel that a call costs. */
  costOf: (name: string, ...args: number[]) => number;
}

export function meterOne(bytes: Uint8Array, owner: string | null = 'm'): Uint8Array {
  return meterModules(new Map([['m', bytes]]), { owner, maximumPages: PAGES }).get('m')!;
}

export function instantiateMetered(bytes: Uint8Array, imports: WebAssembly.Imports = {}): Metered {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(meterOne(bytes))), imports);
  const fuel = exports['ampoule:fuel'] as WebAssembly.Global;
  fuel.value = PLENTY;
  const asked: string[] = [];
  let pages = 1;
  connectHost(exports['ampoule:host'] as WebAssembly.Table, {
    refuel() {
      throw new Error('out of fuel');
    },
    size() {
      asked.push('size');
      return pages;
    },
    grow(more) {
      asked.push(`grow ${more}`);
      if (pages + more > PAGES) return -1;
      pages += more;
      return pages - more;
    },
  });
  const call = (name: string, ...args: number[]): unknown => (exports[name] as (...values: number[]) => unknown)(...args);
  const costOf = (name: string, ...args: number[]): number => {
    const before = fuel.value;
    call(name, ...args);
    return Number(before - fuel.value);
  };
  return { call, fuel, exports, asked, costOf };
}
