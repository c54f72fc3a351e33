import { readFile } from 'node:fs/promises';

const INTERVAL_MS = 100;
const MAX_RESIDENT_BYTES = 1536 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** Looks after the memory of a process whose check takes long. Where the system has no `/proc`, time alone bounds it. */
export class MemoryWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  onTooMuch: () => void = () => undefined;

  constructor(pid: number | undefined) {
    this.#timer = setInterval(() => void this.#look(pid), INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(pid: number | undefined): Promise<void> {
    try {
      const pages = Number((await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1]);
      if (pages * PAGE_BYTES > MAX_RESIDENT_BYTES) this.onTooMuch();
    } catch {
      // The process has just ended, or nobody can tell.
    }
  }
}
