import { SandboxError } from '../../errors.ts';

/**
 * How much of its stack QuickJS may use before it throws a RangeError, in bytes. The linker gives it 1 MiB; the rest is for what
 * native functions take between two checks.
 */
const STACK_BYTES = 832 * 1024;
/** The stack lies at the bottom of memory and grows down from here. */
const STACK_TOP = 1024 * 1024;
/** What the engine's own functions have taken of it when it looks where the stack begins. */
const MAX_ENTRY_BYTES = 4_096;
/** Frames begin at multiples of this, and numbers in programs' code that look like such an address mostly do not: a mask of 20 bits, for example. */
const STACK_ALIGNMENT = 16;
/** Between these lies the size of the heap at which QuickJS collects garbage next. */
const GC_THRESHOLD = { minimum: 64 * 1024, maximum: 64 * 1024 * 1024 };

/**
 * Switches on QuickJS's check of the stack, which its build for WebAssembly leaves off: without it a deep recursion is a trap that ends
 * the run, and with it an error that the program can catch, at the same depth everywhere.
 *
 * The limit is in the runtime's record, in nine words one after the other (`struct JSRuntime` in quickjs.c): two lists of the collector, which
 * are empty and so point to themselves, its phase (0, none), the heap size of the next collection, the stack's size (0, no limit), where it
 * begins, and its limit. Nobody works the limit out again after the start.
 *
 * @throws SandboxError ERR_ENGINE_BUILD when there is not exactly one such record.
 */
export function limitRecursion(memory: WebAssembly.Memory): void {
  const words = new Uint32Array(memory.buffer);
  const found: number[] = [];
  for (let word = STACK_TOP / 4; word < words.length - 1; word++) if (isStackRecord(words, word)) found.push(word);
  const [size] = found;
  if (size === undefined || found.length > 1) {
    throw new SandboxError(
      'ERR_ENGINE_BUILD',
      `The recursion of QuickJS cannot be limited: ${found.length} places look like its record of the stack, not one.`,
      { hint: 'Another version of componentize-qjs keeps it in another form.' },
    );
  }
  words[size] = STACK_BYTES;
  words[size + 2] = (words[size + 1] ?? 0) - STACK_BYTES;
}

function isStackRecord(words: Uint32Array, size: number): boolean {
  const [threshold = 0, none, top = 0, limit] = words.subarray(size - 1, size + 3);
  const isThreshold = threshold >= GC_THRESHOLD.minimum && threshold <= GC_THRESHOLD.maximum;
  const isStackPointer = top < STACK_TOP && top >= STACK_TOP - MAX_ENTRY_BYTES && top % STACK_ALIGNMENT === 0;
  return isThreshold && none === 0 && limit === 0 && isStackPointer;
}
