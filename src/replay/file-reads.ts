import type { FileRead } from '../execute/run.ts';
import { FileOrder } from '../execution/file-order.ts';
import type { Difference } from './compare.ts';

/** What a run reads of files when it is replayed, beside what it read the first time. */
export class FileReads {
  readonly #order: FileOrder;

  constructor(recorded: readonly FileRead[]) {
    this.#order = new FileOrder(recorded);
  }

  add(file: FileRead): void {
    this.#order.add(file);
  }

  /** The first file that is not what it was. @param isWhole whether the run has come to its end, so that none may be missing */
  difference(isWhole: boolean): Difference | undefined {
    const { other, firstNew, firstMissing } = this.#order;
    const found = other ?? firstNew ?? (isWhole ? firstMissing : undefined);
    if (found === undefined) return undefined;
    const { number, was, is } = found;
    const isSame = was?.path === is?.path;
    const what = isSame ? `file ${was?.path}` : `file ${number} that is read`;
    return { what, recorded: shown(was, isSame), replayed: shown(is, isSame) };
  }
}

function shown(file: FileRead | undefined, isPathKnown: boolean): string {
  if (file === undefined) return 'nothing';
  const { path, bytes, hash } = file;
  const content = hash === '' ? 'cannot be read' : `${bytes.toLocaleString('en')} bytes, Blake3 ${hash.slice(0, 16)}`;
  return isPathKnown ? content : `${path}, ${content}`;
}
