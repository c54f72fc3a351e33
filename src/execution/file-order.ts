import type { FileRead } from '../execute/run.ts';

/** Two reads at the same place that are not the same one. Absent: none was recorded there, or there is none now. */
export interface OtherRead {
  /** Which read it is, from 1. */
  readonly number: number;
  readonly was?: FileRead | undefined;
  readonly is?: FileRead | undefined;
}

/** Both are there. */
export interface ChangedRead extends OtherRead {
  readonly was: FileRead;
  readonly is: FileRead;
}

/** What a run reads of files when it is begun again, beside what it read the first time. */
export class FileOrder {
  readonly #recorded: readonly FileRead[];
  readonly #again = new DistinctReads();
  #other: ChangedRead | undefined;
  #firstNew: OtherRead | undefined;

  constructor(recorded: readonly FileRead[]) {
    const distinct = new DistinctReads();
    this.#recorded = recorded.filter((file) => distinct.isNew(file));
  }

  /** The first read that is not what was recorded in its place. */
  get other(): ChangedRead | undefined {
    return this.#other;
  }

  /** The first one after all that were recorded. */
  get firstNew(): OtherRead | undefined {
    return this.#firstNew;
  }

  /** The first one that was recorded and has not come again yet. */
  get firstMissing(): OtherRead | undefined {
    const { count } = this.#again;
    return count < this.#recorded.length ? { number: count + 1, was: this.#recorded[count] } : undefined;
  }

  /** The next one comes. @returns whether it comes after all that were recorded */
  add(file: FileRead): boolean {
    if (!this.#again.isNew(file)) return false;
    const number = this.#again.count;
    const was = this.#recorded[number - 1];
    if (was === undefined) this.#firstNew ??= { number, is: file };
    else if (was.path !== file.path || was.hash !== file.hash) this.#other ??= { number, was, is: file };
    return was === undefined;
  }
}

/** Reads without those of the same content: a run that goes on elsewhere tells once more what it reads. */
class DistinctReads {
  readonly #last = new Map<string, string>();
  count = 0;

  isNew({ path, hash }: FileRead): boolean {
    if (this.#last.get(path) === hash) return false;
    this.#last.set(path, hash);
    this.count++;
    return true;
  }
}
