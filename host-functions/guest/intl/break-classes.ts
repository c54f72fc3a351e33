/** The class of the character at an index of a text; a surrogate that stands alone is of class 0. */
export type ClassAt = (text: string, at: number) => number;

/** Most texts have no character from here on but emoji: those below are found at once, the others by halving. */
const TABLE_END = 0x3400;

/** Reads runs of `break-data.ts`. */
export function classTable(runs: string): ClassAt {
  const table = new Uint8Array(TABLE_END);
  const starts: number[] = [];
  const classes: number[] = [];
  let [from, length] = [0, 0];
  for (let i = 0; i < runs.length; i++) {
    const code = runs.charCodeAt(i);
    if (code >= 97 || code < 58) {
      length = length * 36 + (code < 58 ? code - 48 : code - 87);
      continue;
    }
    const end = from + (length || 1);
    if (from < TABLE_END) table.fill(code - 65, from, Math.min(end, TABLE_END));
    if (end > TABLE_END) {
      starts.push(from);
      classes.push(code - 65);
    }
    [from, length] = [end, 0];
  }
  return (text, at) => {
    const char = text.codePointAt(at) ?? 0;
    return char < TABLE_END ? table[char] : classes[runOf(starts, char)];
  };
}

/** The index of the last that is not above a value; the first is not. */
export function runOf(starts: readonly number[], value: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where the character after the one at an index begins. */
export function after(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}
