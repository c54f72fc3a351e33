import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeptPages } from '../kept-result/kept-results.ts';

const NEWLINE = 10;
const SLICE_BYTES = 256 * 1024;
const MARK_BYTES = 64 * 1024;
/** A text whose longest line is longer is read in bytes: a page holds whole lines. */
const LONGEST_LINE_BYTES = 16 * 1024;

/**
 * How a text is read in pages: in lines, or, given that it may be, in bytes where lines are too long or there is only one. Works in slices.
 */
export async function textPages(bytes: Uint8Array, mimeType: string, unit?: 'lines'): Promise<KeptPages> {
  const marks: [number, number][] = [];
  let lines = 0;
  let longest = 0;
  let marked = -Infinity;
  let rested = 0;
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found + 1;
    if (start - marked >= MARK_BYTES) {
      marks.push([lines, start]);
      marked = start;
    }
    longest = Math.max(longest, end - start);
    lines++;
    start = end;
    if (end - rested > SLICE_BYTES) {
      rested = end;
      await nextTurn();
    }
  }
  const isProse = lines > 1 && longest <= LONGEST_LINE_BYTES;
  if (unit === undefined && !isProse) return { mimeType, unit: 'bytes', total: bytes.length, marks: [] };
  return { mimeType, unit: 'lines', total: lines, marks };
}
