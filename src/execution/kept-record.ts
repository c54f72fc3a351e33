import type { ExecutionRow } from './store/execution-rows.ts';
import type { ExecutionParts } from './store/execution-parts.ts';
import type { OpenBytes } from './store/open-bytes.ts';
import type { StoredWait } from './execution-store.ts';
import { KIND, PART_BYTES, type PartKind } from './store/store-schema.ts';

/**
 * The calls, answers and history of an execution, within `maxRecordBytes` and the principal's share of the store. The rule when one more would be over it:
 * - From then on it cannot be begun again from the start: the history goes, and what comes of it is not kept.
 * - Calls without an answer stay: nobody may make them a second time without knowing.
 * - With an image that can be gone on from, the answers stay that this needs: those of calls that were pending when it was put away, and of all
 *   later ones. Other answered calls go.
 * - When that is over the limit as well, or there is no such image, all answered calls go, and the image with them: nothing can be gone on from
 *   until the run is put away the next time. But not for a call that is pending in the image: the run may sleep in it, and all that comes then are
 *   such calls, no more than it may have on their way. Past the share not even these are kept.
 * - The number of an answered call that went is kept until then. An image in which such a call is pending, because its answer had not reached the
 *   run, cannot be gone on from by another process.
 */
export class KeptRecord {
  readonly #parts: ExecutionParts;
  readonly #maxBytes: number;
  readonly #open: Pick<OpenBytes, 'mayGrow'>;

  constructor(parts: ExecutionParts, maxBytes: number, open: Pick<OpenBytes, 'mayGrow'>) {
    this.#parts = parts;
    this.#maxBytes = maxBytes;
    this.#open = open;
  }

  /** Makes room for so many bytes of text. @param call that they are of, if any @returns false when they may not be kept */
  makeRoom(row: ExecutionRow, bytes: number, call?: number): boolean {
    const hasShare = (): boolean => this.#open.mayGrow(row, bytes + PART_BYTES);
    const fits = (): boolean => row.recordBytes + bytes + PART_BYTES <= this.#maxBytes && hasShare();
    if (!fits()) this.drop(row);
    if (!fits() && row.canWake === 1) {
      if (call !== undefined && this.#wait(row)?.pending.includes(call) === true) return hasShare();
      // What is let go of then makes room for others, and the run has nothing of it.
      if (!hasShare()) return false;
      this.#removeImage(row);
      this.drop(row);
    }
    return fits();
  }

  /** Keeps a part. @param before what is there in its place */
  add(row: ExecutionRow, kind: PartKind, number: number, text: string, before?: string): void {
    if (before !== undefined) lower(row, Buffer.byteLength(before) + PART_BYTES);
    row.recordBytes += Buffer.byteLength(text) + PART_BYTES;
    if (before === undefined) this.#parts.add(row, kind, number, text);
    else this.#parts.put(row, kind, number, text);
  }

  /** Drops what no recovery from the image needs. Reads nothing but that: what stays may be many megabytes, and this may come at every answer. */
  drop(row: ExecutionRow): void {
    const wait = this.#wait(row);
    if (row.record === 'whole') row.record = 'dropped';
    lower(row, this.#parts.bytes(row, KIND.history) + row.histories * PART_BYTES);
    this.#parts.removeKind(row, KIND.history);
    row.histories = 0;
    for (const number of this.#parts.numbers(row, KIND.answer)) {
      if (wait !== undefined && isNeeded(wait, number)) continue;
      this.#remove(row, KIND.answer, number);
      this.#remove(row, KIND.call, number);
      this.#parts.put(row, KIND.gone, number, '');
      row.recordBytes += PART_BYTES;
      row.answers--;
      row.calls--;
    }
  }

  /** The answer to a call is not kept. The image stays, since the run may sleep in it, but no other process can go on from there without that answer. */
  lose(row: ExecutionRow, number: number): void {
    this.drop(row);
    this.#remove(row, KIND.call, number);
    this.#parts.put(row, KIND.gone, number, '');
    row.recordBytes += PART_BYTES;
    row.calls--;
    const wait = this.#wait(row);
    if (wait !== undefined && isNeeded(wait, number)) row.canWake = 0;
  }

  /** What an image that can be gone on from waits for. With a damaged one nothing can be: that costs the image, and nothing else of the record. */
  #wait(row: ExecutionRow): StoredWait | undefined {
    if (row.canWake === 0) return undefined;
    try {
      return this.#parts.wait(row)?.wait;
    } catch {
      row.canWake = 0;
      return undefined;
    }
  }

  #remove(row: ExecutionRow, kind: PartKind, number: number): void {
    lower(row, this.#bytes(row, kind, number));
    this.#parts.remove(row, kind, number);
  }

  #bytes(row: ExecutionRow, kind: PartKind, number: number): number {
    try {
      return Buffer.byteLength(this.#parts.get(row, kind, number) ?? '') + PART_BYTES;
    } catch {
      // A damaged one goes like any other: it counts on, and so the record is dropped sooner.
      return 0;
    }
  }

  /** An image is there: what of a record that is not whole no recovery from it needs goes. @returns whether it can be gone on from */
  settle(row: ExecutionRow, wait: StoredWait): boolean {
    if (row.record === 'whole') return true;
    const gone = new Set(this.#parts.numbers(row, KIND.gone));
    if (wait.pending.some((number) => gone.has(number))) return false;
    row.canWake = 1;
    this.drop(row);
    lower(row, this.#parts.numbers(row, KIND.gone).length * PART_BYTES);
    this.#parts.removeKind(row, KIND.gone);
    return true;
  }

  #removeImage(row: ExecutionRow): void {
    this.#parts.removeImage(row);
    row.canWake = 0;
    row.imageBytes = 0;
  }
}

/** Whether who goes on from an image needs what is known of a call. */
function isNeeded({ lastCall, pending }: StoredWait, number: number): boolean {
  return number > lastCall || pending.includes(number);
}

/** Older versions did not count all that is taken away here. */
function lower(row: ExecutionRow, bytes: number): void {
  row.recordBytes = Math.max(0, row.recordBytes - bytes);
}
