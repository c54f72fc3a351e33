import type { FileRead } from '../execute/run.ts';
import { FileOrder, type ChangedRead } from './file-order.ts';

/**
 * Files that a run reads which is begun again. They have to be what they were: its calls are answered with what came of the first reading, and with another
 * content it may want others.
 */
export class FilesAgain {
  #order: FileOrder | undefined;

  /** It is begun again from the start: all that it ever read will be read again. */
  recall(recorded: readonly FileRead[]): void {
    this.#order = new FileOrder(recorded);
  }

  /** It goes on with what it has in memory. */
  forget(): void {
    this.#order = undefined;
  }

  /** @returns those that are not recorded yet */
  take(files: readonly FileRead[]): readonly FileRead[] {
    const order = this.#order;
    return order === undefined ? files : files.filter((file) => order.add(file));
  }

  /** How what it reads is not what it read; undefined as long as it is. */
  get difference(): string | undefined {
    const { other } = this.#order ?? {};
    return other && differenceText(other);
  }

  /** That of a file that is not read any more, now that all must have been. */
  get missing(): string | undefined {
    const { was } = this.#order?.firstMissing ?? {};
    return was && `The file ${nameOf(was)}, which it had read, was not read again.`;
  }
}

function differenceText({ was, is }: ChangedRead): string {
  if (was.path !== is.path) return `It had read the file ${nameOf(was)}, and read ${nameOf(is)} in its place.`;
  const before = was.hash === '' ? 'could not be read' : `had ${sizeOf(was)}`;
  return `The file ${nameOf(was)}, which it reads, has changed since: it ${before}, and ${presentText(was, is)}.`;
}

function presentText(was: FileRead, is: FileRead): string {
  if (is.hash === '') return 'cannot be read any more';
  return was.hash !== '' && was.bytes === is.bytes ? 'has as many of another content now' : `has ${sizeOf(is)} now`;
}

function nameOf({ path }: FileRead): string {
  return JSON.stringify(path);
}

function sizeOf({ bytes }: FileRead): string {
  return `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
