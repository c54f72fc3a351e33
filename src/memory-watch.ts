import { residentBytes } from './process-status.ts';

const INTERVAL_MS = 100;
const MAX_RESIDENT_BYTES = 1536 * 1024 * 1024;

/** Looks after the memory of a child process whose work takes long. Where the system has no `/proc`, time alone bounds it. */
export class MemoryWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  onTooMuch: () => void = () => undefined;

  constructor(pid: number | undefined, maxResidentBytes = MAX_RESIDENT_BYTES) {
    this.#timer = setInterval(() => void this.#look(pid, maxResidentBytes), INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(pid: number | undefined, most: number): Promise<void> {
    const bytes = await residentBytes(pid);
    if (bytes !== undefined && bytes > most) this.onTooMuch();
  }
}
