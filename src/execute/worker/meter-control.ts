import { GuestStop } from './guest-stop.ts';

/**
 * Fuel is handed to the guest in slices of about a millisecond. Between two slices the host looks at the clock and at the
 * interrupt flag, so a stop is never later than a slice, and the guest's hot path pays for one counter only.
 */
const SLICE_FUEL = 50_000_000;
const PAGE_BYTES = 65_536;
/** What the host holds for every run anyway, such as the records of its calls, is not counted as the run's memory. */
const FREE_HOST_BYTES = 1024 * 1024;

/** What one start of a guest may use. */
export interface MeterBudget {
  readonly fuel: number;
  /** Virtual size of memory at the start, in pages of 64 KiB. */
  readonly pages: number;
  /** Virtual size that `memory.grow` may reach, in pages. */
  readonly maximumPages: number;
  readonly activeMs: number;
  /** Set to 1 by another thread to stop the guest. */
  readonly interrupt: Int32Array;
  /** Whether the process can spare so many pages more; asked before memory grows. */
  readonly mayGrow?: (pages: number) => boolean;
  /** Called when a slice of fuel is used up and the guest goes on: about every millisecond. */
  readonly onSlice?: () => void;
}

/** Where a meter stood when its run was put away. */
export interface MeterState {
  /** Fuel that was handed out, and how much of the last slice was left. */
  readonly granted: number;
  readonly slice: number;
  /** Virtual size of memory, in pages. */
  readonly pages: number;
  readonly hostBytes: number;
  readonly activeMs: number;
  readonly refusedGrowth: boolean;
}

const IDLE: MeterBudget = { fuel: 0, pages: 0, maximumPages: 0, activeMs: 0, interrupt: new Int32Array(1) };

/** The host's side of the meter of one instance: fuel, active time, interrupts and the virtual size of memory. */
export class MeterControl {
  readonly #fuel: WebAssembly.Global;
  readonly #memory: WebAssembly.Memory;
  #budget = IDLE;
  #granted = 0;
  #pages = 0;
  /** What the host holds for the run outside of the guest's memory: it counts as the run's. */
  #hostBytes = 0;
  #enteredAt = 0;
  #activeMs = 0;
  #refusedGrowth = false;

  constructor(fuel: WebAssembly.Global, memory: WebAssembly.Memory) {
    this.#fuel = fuel;
    this.#memory = memory;
  }

  /** Starts counting: from zero, or from where a meter stood. */
  begin(budget: MeterBudget, from?: MeterState): void {
    this.#budget = budget;
    this.#granted = from?.granted ?? 0;
    this.#fuel.value = BigInt(from?.slice ?? 0);
    this.#pages = from?.pages ?? budget.pages;
    this.#hostBytes = from?.hostBytes ?? 0;
    this.#enteredAt = performance.now();
    this.#activeMs = from?.activeMs ?? 0;
    this.#refusedGrowth = from?.refusedGrowth ?? false;
  }

  /** Where it stands between two calls. */
  snapshot(): MeterState {
    return {
      granted: this.#granted,
      slice: Number(this.#fuel.value),
      pages: this.#pages,
      hostBytes: this.#hostBytes,
      activeMs: this.#activeMs,
      refusedGrowth: this.#refusedGrowth,
    };
  }

  /** Runs one export call on the active clock. @throws GuestStop for fuel, active time and interrupts. */
  active<T>(call: () => T): T {
    this.#enteredAt = performance.now();
    try {
      return call();
    } finally {
      this.#activeMs += performance.now() - this.#enteredAt;
    }
  }

  get fuelUsed(): number {
    return this.#granted - Number(this.#fuel.value);
  }

  get activeMs(): number {
    return this.#activeMs;
  }

  /** Virtual size of memory now, in pages. */
  get pages(): number {
    return this.#pages;
  }

  /** Whether the guest asked for more memory than its cap: tells an out-of-memory trap from any other. */
  get refusedGrowth(): boolean {
    return this.#refusedGrowth;
  }

  /** Bytes that the host holds for the run, besides the guest's memory. */
  get hostBytes(): number {
    return this.#hostBytes;
  }

  /**
   * The host holds so many bytes more for the run, or fewer.
   * @throws GuestStop ERR_EXECUTE_MEMORY when that is more than the run may have together with its own memory.
   */
  holdBytes(bytes: number): void {
    const before = this.#hostPages;
    this.#hostBytes += bytes;
    const more = this.#hostPages - before;
    if (more <= 0) return;
    const isTooMuch = this.#pages + this.#hostPages > this.#budget.maximumPages;
    if (!isTooMuch && this.#budget.mayGrow?.(more) !== false) return;
    throw new GuestStop('ERR_EXECUTE_MEMORY', 'The program needed more memory than it may have: too many arguments of tool calls wait.');
  }

  get #hostPages(): number {
    return Math.max(0, Math.ceil((this.#hostBytes - FREE_HOST_BYTES) / PAGE_BYTES));
  }

  /** Called by the guest's code when its slice is used up. */
  readonly refuel = (): void => {
    const { fuel, activeMs, interrupt } = this.#budget;
    if (Atomics.load(interrupt, 0) !== 0) throw new GuestStop('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
    if (this.#activeMs + performance.now() - this.#enteredAt > activeMs) {
      throw new GuestStop('ERR_EXECUTE_ACTIVE_TIME', `The program computed for more than ${activeMs} ms.`);
    }
    const overdrawn = -Number(this.#fuel.value);
    // One bulk operation may cost more than a slice: it gets what it needs, and no more than is left.
    const slice = Math.min(Math.max(SLICE_FUEL, overdrawn), fuel - this.#granted);
    if (slice < overdrawn) throw new GuestStop('ERR_EXECUTE_FUEL', `The program used up its ${fuel} units of fuel.`);
    if (this.#granted > 0) this.#budget.onSlice?.();
    this.#granted += slice;
    this.#fuel.value = BigInt(slice - overdrawn);
  };

  /** `memory.size` of the guest. */
  readonly size = (): number => this.#pages;

  /** `memory.grow` of the guest: the old size in pages, or -1. */
  readonly grow = (delta: number): number => {
    const before = this.#pages;
    const after = before + (delta >>> 0);
    if (after + this.#hostPages > this.#budget.maximumPages || !this.#reserve(after)) {
      this.#refusedGrowth = true;
      return -1;
    }
    this.#pages = after;
    return before;
  };

  /** Physical memory never shrinks, so a later run finds most of what it needs already there. */
  #reserve(pages: number): boolean {
    const missing = pages - this.#memory.buffer.byteLength / PAGE_BYTES;
    if (missing <= 0) return true;
    if (this.#budget.mayGrow?.(missing) === false) return false;
    try {
      this.#memory.grow(missing);
      return true;
    } catch {
      return false;
    }
  }
}
