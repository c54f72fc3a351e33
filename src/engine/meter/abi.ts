/**
 * What the meter adds to a core module, and what the host has to do with it. This is the whole agreement between the two.
 *
 * - The counter: a mutable i64 global. The owner module exports it as `ampoule:fuel`; every other metered module imports it
 *   as ("ampoule", "fuel"), so it has to be made after the owner. It begins at 0 and goes down. Below 0 the next test calls
 *   `refuel`.
 * - The host table: every metered module exports a funcref table `ampoule:host` with the slots below, empty at first. The
 *   host fills them right after the instance is made and before any of its functions is called (`connectHost`).
 * - Calls of `refuel` are marked as unlikely in a `metadata.code.branch_hint` section. V8 reads it when the process has the
 *   flag --experimental-wasm-branch-hinting, set before the module is compiled; it makes metered code faster, nothing else.
 */

/** Goes into cache keys: raise it whenever the same input would be rewritten to other bytes. */
export const METER_VERSION = 'meter-2';

/** Export name of the counter in the module that owns it. */
export const FUEL_EXPORT = 'ampoule:fuel';
/** Import of the counter in every other metered module. */
export const FUEL_IMPORT = { module: 'ampoule', name: 'fuel' } as const;
/** Export name of the table through which a metered module calls the host. */
export const HOST_TABLE_EXPORT = 'ampoule:host';
/** Names that begin so are ours: a module that has one is metered already, and refused. */
export const RESERVED_EXPORT_PREFIX = 'ampoule:';

/** `refuel: () -> ()`: the counter is below 0. The host adds a slice to it or throws; it must not return without adding. */
export const SLOT_REFUEL = 0;
/** `size: () -> i32`: stands for memory.size; the virtual size in pages. */
export const SLOT_SIZE = 1;
/** `grow: (i32) -> i32`: stands for memory.grow; pages to add, unsigned; the old virtual size, or -1 for no. */
export const SLOT_GROW = 2;
/** Slots in the host table. */
export const SLOT_COUNT = 3;

/** What one instruction costs, in units of fuel. `block`, `loop`, `else` and `end` are no instructions and cost nothing. */
export const COST_INSTRUCTION = 1;
/** A call. It also pays for a tiny leaf function, which has no meter of its own. */
export const COST_CALL = 8;
/** memory.size and memory.grow call the host. */
export const COST_HOST_CALL = 64;
/** A bulk operation, besides its length: one unit for each byte of memory or element of a table. */
export const COST_BULK = 8;
/**
 * The most that one segment may be charged beyond what is then executed: precision against the number of charges.
 * Chosen by measuring; see docs/adr/0012-a-cheaper-meter.md.
 */
export const SEGMENT_LIMIT = 512;
