const BASE_ONE = 0x01000193;
const BASE_TWO = 0x5bd1e995;

/** Both hashes of a window of text, and where it begins. Says true to end. */
export type WindowVisitor = (one: number, two: number, at: number) => boolean;

/**
 * Visits the hashes of all windows of `size` UTF-16 units of a text, each in constant time. The two together are 64 bits: texts that differ do not meet
 * by accident.
 * @param step only every so many windows, the first one included
 * @returns whether the visitor ended it.
 */
export function visitWindows(text: string, size: number, visit: WindowVisitor, step = 1): boolean {
  if (size < 1 || text.length < size) return false;
  const { one: dropOne, two: dropTwo } = powers(size - 1);
  let one = 0;
  let two = 0;
  let next = size - 1;
  for (let at = 0; at < text.length; at++) {
    if (at >= size) {
      const gone = text.charCodeAt(at - size) + 1;
      one = (one - Math.imul(gone, dropOne)) | 0;
      two = (two - Math.imul(gone, dropTwo)) | 0;
    }
    const unit = text.charCodeAt(at) + 1;
    one = (Math.imul(one, BASE_ONE) + unit) | 0;
    two = (Math.imul(two, BASE_TWO) + unit) | 0;
    if (at !== next) continue;
    next += step;
    if (visit(mixed(one), mixed(two), at - size + 1)) return true;
  }
  return false;
}

function powers(exponent: number): { one: number; two: number } {
  let one = 1;
  let two = 1;
  for (let n = 0; n < exponent; n++) {
    one = Math.imul(one, BASE_ONE);
    two = Math.imul(two, BASE_TWO);
  }
  return { one, two };
}

/** Spreads a hash over all its bits: the low ones of a polynomial say little. */
export function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 16);
  mix = Math.imul(mix, 0x85ebca6b);
  mix ^= mix >>> 13;
  mix = Math.imul(mix, 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
