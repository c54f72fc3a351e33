import { SLOT_GROW, SLOT_REFUEL, SLOT_SIZE } from './abi.ts';

/** What the host does for a metered module; see `abi.ts`. */
export interface MeterHost {
  refuel: () => void;
  size: () => number;
  grow: (pages: number) => number;
}

// A table takes WebAssembly functions only. This module imports h.refuel, h.size and h.grow and exports them as they are:
// types () -> (), () -> i32 and (i32) -> i32, three imports, three exports, no code.
const PASS_THROUGH = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, 0x0d, 0x03, 0x60, 0x00, 0x00, 0x60, 0x00, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7f],
    [0x02, 0x1e, 0x03],
    [0x01, 0x68, 0x06, 0x72, 0x65, 0x66, 0x75, 0x65, 0x6c, 0x00, 0x00],
    [0x01, 0x68, 0x04, 0x73, 0x69, 0x7a, 0x65, 0x00, 0x01],
    [0x01, 0x68, 0x04, 0x67, 0x72, 0x6f, 0x77, 0x00, 0x02],
    [0x07, 0x18, 0x03],
    [0x06, 0x72, 0x65, 0x66, 0x75, 0x65, 0x6c, 0x00, 0x00],
    [0x04, 0x73, 0x69, 0x7a, 0x65, 0x00, 0x01],
    [0x04, 0x67, 0x72, 0x6f, 0x77, 0x00, 0x02],
  ].flat(),
);

/** Compiled when it is first needed: by every thread that runs guests, and by no other. */
let passThrough: WebAssembly.Module | undefined;

const SLOT_NAMES = [
  [SLOT_REFUEL, 'refuel'],
  [SLOT_SIZE, 'size'],
  [SLOT_GROW, 'grow'],
] as const;

/**
 * Fills the `ampoule:host` table of a fresh instance. `grow` gets its pages as a number from 0 to 2^32 - 1. What these
 * functions throw ends the guest's call and comes out of it unchanged; the guest cannot catch it.
 */
export function connectHost(table: WebAssembly.Table, host: MeterHost): void {
  const functions = { refuel: host.refuel, size: host.size, grow: (pages: number) => host.grow(pages >>> 0) };
  passThrough ??= new WebAssembly.Module(PASS_THROUGH);
  const { exports } = new WebAssembly.Instance(passThrough, { h: functions });
  for (const [slot, name] of SLOT_NAMES) {
    const exported = exports[name];
    if (typeof exported === 'function') table.set(slot, exported);
  }
}
