import type { HostFunctions } from '../../engine/abi/core-host.ts';
import type { GuestExports } from '../../engine/abi/core-guest.ts';
import { linkEngine, type CompiledEngine } from '../../engine/abi/link-engine.ts';
import { connectHost } from '../../engine/meter/host-table.ts';
import { MeterControl } from './meter-control.ts';

/** One instance of the engine. It runs many programs, one after another, and each from a restored image. */
export interface EngineInstance {
  readonly guest: GuestExports;
  readonly meter: MeterControl;
  readonly memory: WebAssembly.Memory;
  /** Undefined when the engine does not show it. */
  readonly stackPointer: WebAssembly.Global | undefined;
  /** Where the four host functions lead during a run. */
  host: HostFunctions;
}

/** Between runs nobody may call. */
const NO_HOST: HostFunctions = {
  callTool: refuse,
  readFile: refuse,
  getState: refuse,
  log: refuse,
};

/** A fresh instance, its memory at the engine's own image. Takes a few milliseconds. */
export function createEngineInstance(engine: CompiledEngine): EngineInstance {
  const slot: { host: HostFunctions } = { host: NO_HOST };
  const { guest, memory, fuel, hostTables, stackPointer } = linkEngine(engine, () => slot.host);
  if (!fuel) throw new TypeError('the engine has no meter');
  const meter = new MeterControl(fuel, memory);
  for (const table of hostTables) connectHost(table, meter);
  return {
    guest,
    meter,
    memory,
    stackPointer,
    get host() {
      return slot.host;
    },
    set host(host) {
      slot.host = host;
    },
  };
}

/** Takes a run's host functions away again. */
export function disconnectHost(instance: EngineInstance): void {
  instance.host = NO_HOST;
}

function refuse(): never {
  throw new Error('a host function was called outside of a run');
}
