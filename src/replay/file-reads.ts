import type { FileRead } from '../execute/run.ts';
import type { Difference } from './compare.ts';

/** What a run reads of files when it is replayed, beside what it read the first time. */
export class FileReads {
  readonly #recorded: readonly FileRead[];
  readonly #replayed = new DistinctReads();

  constructor(recorded: readonly FileRead[]) {
    const distinct = new DistinctReads();
    for (const file of recorded) distinct.add(file);
    this.#recorded = distinct.files;
  }

  add(file: FileRead): void {
    this.#replayed.add(file);
  }

  /** The first file that is not what it was. @param isWhole whether the run has come to its end, so that none may be missing */
  difference(isWhole: boolean): Difference | undefined {
    const { files } = this.#replayed;
    const length = isWhole ? Math.max(files.length, this.#recorded.length) : files.length;
    for (let index = 0; index < length; index++) {
      const [one, other] = [this.#recorded[index], files[index]];
      if (one?.path === other?.path && one?.hash === other?.hash) continue;
      const isSame = one?.path === other?.path;
      const what = isSame ? `file ${one?.path}` : `file ${index + 1} that is read`;
      return { what, recorded: shown(one, isSame), replayed: shown(other, isSame) };
    }
    return undefined;
  }
}

/** Reads without those of the same content: a run that goes on elsewhere tells once more what it reads. */
class DistinctReads {
  readonly files: FileRead[] = [];
  readonly #last = new Map<string, string>();

  add(file: FileRead): void {
    if (this.#last.get(file.path) === file.hash) return;
    this.#last.set(file.path, file.hash);
    this.files.push(file);
  }
}

function shown(file: FileRead | undefined, isPathKnown: boolean): string {
  if (file === undefined) return 'nothing';
  const { path, bytes, hash } = file;
  const content = hash === '' ? 'cannot be read' : `${bytes.toLocaleString('en')} bytes, Blake3 ${hash.slice(0, 16)}`;
  return isPathKnown ? content : `${path}, ${content}`;
}
